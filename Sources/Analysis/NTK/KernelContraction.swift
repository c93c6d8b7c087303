import Backend
import Graph
import Planner

/// Sums the parts of all units to one tile of the kernel.
final class KernelContraction {
    private let units: [KernelUnit]
    private let kind: KernelKind, outputs: Int
    private let rows: Int, columns: Int
    private let backend: any Backend
    private let precision: Precision
    private var programs: [String: any Executable] = [:]
    private var turns: [DeviceArray] = []
    private var finished: [String: DeviceArray] = [:]
    /// Seconds spent on each unit, if they are kept: that needs a wait after every part.
    private(set) var seconds: [Double]
    private let keepsTimes: Bool
    /// Whether the kernel is one of samples with themselves, so that tiles off the diagonal have mirror images.
    private let isSymmetric: Bool

    /// A tile as it goes into the kernel, and its transpose where that has a place too.
    struct Finished {
        let tile: DeviceSlice, mirror: DeviceSlice?
    }

    /// Tiles between `rows` and `columns` samples.
    init(
        _ units: [KernelUnit], _ kind: KernelKind, outputs: Int, rows: Int, columns: Int, isSymmetric: Bool,
        keepsTimes: Bool, on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.units, self.kind, self.outputs) = (units, kind, outputs)
        (self.rows, self.columns, self.backend, self.precision) = (rows, columns, backend, precision)
        (self.isSymmetric, self.keepsTimes) = (isSymmetric, keepsTimes)
        seconds = [Double](repeating: 0, count: units.count)
        for _ in 0..<2 {
            turns.append(try backend.allocate(kind.tile(rows, columns, outputs).count, precision))
        }
    }

    /// A tile, on the device until the next call. `columns` samples start at `column` of `right`; a tile of samples
    /// with themselves has no `right`. `each` sees every unit's own part first, if there is one.
    func run(
        _ left: [String: DeviceArray], _ row: Int, _ right: [String: DeviceArray]?, _ column: Int,
        each: ((_ unit: Int, _ part: Finished) throws -> Void)? = nil
    ) throws -> Finished {
        let columns = right == nil ? rows : self.columns
        let count = kind.tile(rows, columns, outputs).count
        var (sum, next) = (turns[0], turns[1])
        for (index, unit) in units.enumerated() {
            let isFirst = index == 0
            let whole = try executable(unit, columns, isSymmetric: right == nil, isFirst: isFirst)
            let alone =
                try each == nil ? nil : executable(unit, columns, isSymmetric: right == nil, isFirst: true)
            let clock = ContinuousClock.now
            if let each, let alone {
                try run(alone, sum, left, row, right, column, into: next, count)
                try each(index, try finish(next[0..<count], columns, isDiagonal: right == nil))
            }
            try run(whole, sum, left, row, right, column, into: next, count)
            swap(&sum, &next)
            if keepsTimes {
                try backend.synchronize()
                seconds[index] += (ContinuousClock.now - clock) / .seconds(1)
            }
        }
        return try finish(sum[0..<count], columns, isDiagonal: right == nil)
    }

    /// The mean over outputs if that is asked for, and the mirror image.
    private func finish(
        _ sum: DeviceSlice, _ columns: Int, isDiagonal: Bool
    ) throws(BackendError) -> Finished {
        let hasMirror = isSymmetric && !isDiagonal
        if kind != .mean && !hasMirror { return Finished(tile: sum, mirror: nil) }
        let key = "finish \(columns) \(hasMirror)"
        let program: any Executable
        if let known = programs[key] {
            program = known
        } else {
            program = try backend.compile(
                kind.finish(rows, columns, outputs, hasMirror: hasMirror), precision)
            programs[key] = program
        }
        var results: [String: DeviceSlice] = [:]
        for port in program.plan.outputs {
            if finished[port.name] == nil {
                finished[port.name] = try backend.allocate(
                    kind.tile(rows, self.columns, outputs).count, precision)
            }
            results[port.name] = finished[port.name]![0..<port.shape.count]
        }
        try program.run(inputs: [sum], outputs: program.plan.outputs.map { results[$0.name]! })
        return Finished(tile: results["tile"] ?? sum, mirror: results["mirror"])
    }

    private func run(
        _ executable: any Executable, _ sum: DeviceArray, _ left: [String: DeviceArray], _ row: Int,
        _ right: [String: DeviceArray]?, _ column: Int, into result: DeviceArray, _ count: Int
    ) throws(BackendError) {
        let inputs = executable.plan.inputs.map { port in
            if port.name == "sum" { return sum[0..<count] }
            let isRight = port.name.hasPrefix("right ")
            let array = (isRight ? right! : left)[String(port.name.dropFirst(isRight ? 6 : 5))]!
            let perSample = port.shape.count / max(1, port.shape[0]), start = isRight ? column : row
            return array[start * perSample..<(start + port.shape[0]) * perSample]
        }
        try executable.run(inputs: inputs, outputs: [result[0..<count]])
    }

    private func executable(
        _ unit: KernelUnit, _ columns: Int, isSymmetric: Bool, isFirst: Bool
    ) throws(BackendError) -> any Executable {
        let key = "\(unit.names[0]) \(isSymmetric) \(isFirst)"
        if let known = programs[key] { return known }
        let made = try backend.compile(
            unit.contribution(kind, outputs, rows, columns, isSymmetric: isSymmetric, isFirst: isFirst),
            precision, sumsInOrder: true)
        programs[key] = made
        return made
    }
}
