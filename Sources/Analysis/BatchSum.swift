import Backend
import Graph
import Planner

/// A program over one batch, run over all batches of a risk, its results added up.
///
/// What does not depend on the vector can be held: it is computed once for as many batches as a quarter of the free
/// memory holds, and every further run is cheaper by that.
final class BatchSum {
    private let risk: Risk
    private let program: Program
    /// The program as it is, for batches that are not held.
    private var whole: (any Executable)?
    private let scalars: [String]
    private var held: HeldValues?
    /// Two places take turns for the sum so far; the first summand is zero.
    private let zero: DeviceArray, turns: [DeviceArray], scalarTurns: [DeviceArray]

    /// A sum of a program with inputs `sum of …` and outputs `result …`.
    init(_ program: Program, of risk: Risk, scalars: [String], holds: Bool) throws(BackendError) {
        (self.risk, self.program, self.scalars) = (risk, program, scalars)
        let backend = risk.space.backend
        zero = try risk.space.vector()
        var turns: [DeviceArray] = [], scalarTurns: [DeviceArray] = []
        for _ in 0..<(risk.data.batchCount > 1 ? 2 : 0) { turns.append(try risk.space.vector()) }
        for _ in 0..<3 {
            scalarTurns.append(try backend.allocate(max(1, scalars.count), risk.space.precision))
        }
        (self.turns, self.scalarTurns) = (turns, scalarTurns)
        held =
            holds
            ? try Self.ifThereIsMemory { () throws(BackendError) in try HeldValues(program, of: risk) } : nil
        if held?.holdsAll == true { return }
        whole = try Self.ifThereIsMemory { () throws(BackendError) in
            try backend.compile(program, risk.space.precision)
        }
        if whole == nil {
            // Holding is a luxury.
            held = nil
            whole = try backend.compile(program, risk.space.precision)
        }
    }

    /// What `body` makes; nil if the device has too little memory for it.
    fileprivate static func ifThereIsMemory<Result>(
        _ body: () throws(BackendError) -> Result?
    ) throws(BackendError) -> Result? {
        do throws(BackendError) {
            return try body()
        } catch {
            if error.kind == .outOfMemory { return nil }
            throw error
        }
    }

    private func wholeProgram() throws(BackendError) -> any Executable {
        if let whole { return whole }
        let made = try risk.space.backend.compile(program, risk.space.precision)
        whole = made
        return made
    }

    /// The scalars in order; the vector result lies in `into`. `vector` is read as `v of …`.
    func run(
        at parameters: DeviceSlice? = nil, vector: DeviceSlice? = nil, into result: DeviceSlice? = nil
    ) throws(BackendError) -> [Double] {
        let data = risk.data, layout = risk.programs.layout
        var sum = zero.all, scalarSum = scalarTurns[2]
        for index in 0..<data.batchCount {
            let isLast = index == data.batchCount - 1
            let target = isLast ? (result ?? zero.all) : turns[index % 2].all
            let scalarTarget = scalarTurns[index % 2]
            var bound = risk.fixed.merging(data.batch(index)) { $1 }
            for entry in layout.entries {
                bound[entry.name] = (parameters ?? risk.parameters.all)[entry.range]
                if let vector { bound["v of \(entry.name)"] = vector[entry.range] }
                bound["sum of \(entry.name)"] = sum[entry.range]
                bound["result \(entry.name)"] = target[entry.range]
            }
            for (place, name) in scalars.enumerated() {
                bound["sum of \(name)"] = scalarSum[place..<place + 1]
                bound["result \(name)"] = scalarTarget[place..<place + 1]
            }
            if let held, parameters == nil, let values = try held.values(of: index, bound) {
                try held.rest.run(bound.merging(values) { $1 })
            } else {
                try wholeProgram().run(bound)
            }
            (sum, scalarSum) = (target, scalarTarget)
        }
        return Array(
            try scalars.isEmpty ? [] : risk.space.backend.download(scalarSum.all).prefix(scalars.count))
    }
}

/// Values that do not depend on the vector, batch by batch.
private final class HeldValues {
    let rest: any Executable
    /// Gone when all values are there, and its memory with it.
    private var fixed: (any Executable)?
    private let backend: any Backend
    /// Whether every batch is held.
    var holdsAll: Bool { batches == batchCount }
    private let batchCount: Int
    /// Batches that are held; further ones would take too much memory.
    private let batches: Int
    private var values: [Int: [String: DeviceSlice]] = [:]

    /// Nil if nothing is worth holding or not one batch fits.
    init?(_ program: Program, of risk: Risk) throws(BackendError) {
        backend = risk.space.backend
        let precision = risk.space.precision
        let split = program.holding { $0.hasPrefix("v of ") }
        guard split.count > 0 else { return nil }
        batchCount = risk.data.batchCount
        batches = min(batchCount, backend.freeMemory / 4 / (split.count * precision.bytes))
        guard batches > 0 else { return nil }
        fixed = try backend.compile(split.fixed, precision)
        rest = try backend.compile(split.rest, precision)
    }

    /// What the rest needs for a batch; nil if the batch is not held.
    func values(of batch: Int, _ bound: [String: DeviceSlice]) throws(BackendError) -> [String: DeviceSlice]?
    {
        if batch >= batches { return nil }
        if let known = values[batch] { return known }
        guard let fixed else { preconditionFailure("held values are made once") }
        var made: [String: DeviceSlice] = [:]
        for port in fixed.plan.outputs {
            let array = try BatchSum.ifThereIsMemory { () throws(BackendError) in
                try backend.allocate(port.shape.count, fixed.plan.precision)
            }
            guard let array else { return nil }
            made[port.name] = array.all
        }
        try fixed.run(bound.merging(made) { $1 })
        values[batch] = made
        if values.count == batches {
            // The device may still be at work with it.
            try backend.synchronize()
            self.fixed = nil
        }
        return made
    }
}

extension Executable {
    /// Runs the plan on memory given by the names of its inputs and outputs.
    func run(_ bound: [String: DeviceSlice]) throws(BackendError) {
        func slice(_ port: Program.Port) -> DeviceSlice {
            guard let slice = bound[port.name] else { fatalError("nothing is bound to \"\(port.name)\"") }
            return slice
        }
        try run(inputs: plan.inputs.map(slice), outputs: plan.outputs.map(slice))
    }
}
