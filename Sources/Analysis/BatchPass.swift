import Backend
import Graph
import Planner

/// A pass over all batches that adds up a program's results, for one vector or for `width` of them at once.
///
/// A block of vectors is stored parameter by parameter, `[entry][width][elements]`, so that every entry's part is one
/// stretch `[width, …]`; vectors are copied into that order before a pass, and results out of it afterwards.
final class BatchPass {
    /// Its programs and their plans.
    let parts: PassParts
    /// Vectors of one pass.
    var width: Int { parts.width }
    private let risk: Risk
    /// Where the parts of vectors and results lie.
    private let layout: ParameterLayout
    private let batchSize: Int
    private let scalars: [String]
    private let held: HeldValues?
    /// What is left to do where values are held.
    private let rest: (any Executable)?
    /// The program as it is, for batches that are not held.
    private var whole: (any Executable)?
    /// Two places take turns for the sum so far; the first summand is zero.
    private let zero: DeviceArray, turns: [DeviceArray], scalarTurns: [DeviceArray]
    /// The vectors and results of a block.
    private var block: (vectors: DeviceArray, results: DeviceArray)?

    init(
        _ parts: PassParts, of risk: Risk, batchSize: Int, scalars: [String], held: HeldValues?
    ) throws(BackendError) {
        (self.parts, self.risk, self.batchSize, self.scalars, self.held) = (
            parts, risk, batchSize, scalars, held
        )
        layout = parts.layout
        let (backend, precision, width) = (risk.space.backend, risk.space.precision, parts.width)
        // A block is a luxury: it leaves half of the memory to others.
        let most = width == 1 ? Int.max : backend.freeMemory / 2
        func compile(_ part: PassParts.Part) throws(BackendError) -> any Executable {
            if part.plan.peakBytes > most {
                throw BackendError(
                    .outOfMemory, "a block of \(width) vectors takes \(part.plan.peakBytes) bytes")
            }
            return try backend.compile(part.program, precision)
        }
        func vectors() throws(BackendError) -> DeviceArray {
            try backend.allocate(width * parts.layout.count, precision)
        }
        zero = try vectors()
        var turns: [DeviceArray] = [], scalarTurns: [DeviceArray] = []
        for _ in 0..<(risk.data.batchCount(of: batchSize) > 1 ? 2 : 0) { turns.append(try vectors()) }
        for _ in 0..<3 { scalarTurns.append(try backend.allocate(max(1, scalars.count), precision)) }
        (self.turns, self.scalarTurns) = (turns, scalarTurns)
        block = width == 1 ? nil : (vectors: try vectors(), results: try vectors())
        rest = if let part = parts.rest { try compile(part) } else { nil }
        whole = if let part = parts.whole { try compile(part) } else { nil }
    }

    private func wholeProgram() throws(BackendError) -> any Executable {
        if let whole { return whole }
        let made = try risk.space.backend.compile(parts.program, risk.space.precision)
        whole = made
        return made
    }

    /// The vector results for `width` vectors.
    func run(vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        guard let block else { preconditionFailure("a pass for one vector was given \(vectors.count)") }
        let backend = risk.space.backend
        func part(_ array: DeviceArray, _ entry: ParameterLayout.Entry, _ place: Int) -> DeviceSlice {
            let first = width * entry.offset + place * entry.shape.count
            return array[first..<first + entry.shape.count]
        }
        for entry in layout.entries {
            for (place, vector) in vectors.enumerated() {
                try backend.copy(vector[entry.range], to: part(block.vectors, entry, place))
            }
        }
        _ = try run(vector: block.vectors.all, into: block.results.all)
        for entry in layout.entries {
            for (place, result) in results.enumerated() {
                try backend.copy(part(block.results, entry, place), to: result[entry.range])
            }
        }
    }

    /// The scalars in order; the vector result lies in `into`. `vector` is read as `v of …`; it and the result are
    /// blocks if the pass is for several vectors.
    func run(
        at parameters: DeviceSlice? = nil, vector: DeviceSlice? = nil, into result: DeviceSlice? = nil
    ) throws(BackendError) -> [Double] {
        let batchCount = risk.data.batchCount(of: batchSize)
        var sum = zero.all, scalarSum = scalarTurns[2]
        for index in 0..<batchCount {
            let isLast = index == batchCount - 1
            let target = isLast ? (result ?? zero.all) : turns[index % 2].all
            let scalarTarget = scalarTurns[index % 2]
            var bound = risk.inputs(of: index, batchSize: batchSize, at: parameters)
            for entry in layout.entries {
                let range = width * entry.range.lowerBound..<width * entry.range.upperBound
                if let vector { bound["v of \(entry.name)"] = vector[range] }
                bound["sum of \(entry.name)"] = sum[range]
                bound["result \(entry.name)"] = target[range]
            }
            for (place, name) in scalars.enumerated() {
                bound["sum of \(name)"] = scalarSum[place..<place + 1]
                bound["result \(name)"] = scalarTarget[place..<place + 1]
            }
            if let held, let rest, parameters == nil, let values = try held.values(of: index, bound) {
                try rest.run(bound.merging(values) { $1 })
            } else {
                try wholeProgram().run(bound)
            }
            (sum, scalarSum) = (target, scalarTarget)
        }
        return Array(
            try scalars.isEmpty ? [] : risk.space.backend.download(scalarSum.all).prefix(scalars.count))
    }
}

extension Risk {
    /// What programs over a batch read, by name, at the risk's weights or others.
    func inputs(of batch: Int, batchSize: Int, at weights: DeviceSlice? = nil) -> [String: DeviceSlice] {
        var bound = fixed.merging(data.batch(batch, of: batchSize)) { $1 }
        for entry in programs.layout.entries {
            bound[entry.name] = (weights ?? parameters.all)[entry.range]
        }
        return bound
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
