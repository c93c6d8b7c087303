import Backend
import Graph
import Planner

/// Computes features of samples on a device: one batched pull-back of all outputs serves all parameters.
final class FeatureExtractor {
    let units: [KernelUnit]
    let outputs: Int
    private let cotangents: Int
    private let batched: any Executable, single: (any Executable)?
    private let seed: DeviceArray, singleSeed: DeviceArray?
    /// Samples of one pass.
    let batch: Int
    private let backend: any Backend
    private let precision: Precision
    private let bound: [String: DeviceSlice]

    /// Compiles the programs for batches of `batch` samples; `bound` gives weights and other fixed inputs.
    init(
        _ program: FeatureProgram, _ kind: KernelKind, batch: Int, bound: [String: DeviceSlice],
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (units, outputs) = (program.units, program.outputs)
        (self.batch, self.backend, self.precision, self.bound) = (batch, backend, precision, bound)
        cotangents = kind.cotangents(outputs)
        batched = try backend.compile(program.batched, precision, sumsInOrder: true)
        seed = try Self.seed(kind, outputs, batch, backend, precision)
        if let program = program.single {
            single = try backend.compile(program, precision, sumsInOrder: true)
            singleSeed = try Self.seed(kind, outputs, 1, backend, precision)
        } else {
            (single, singleSeed) = (nil, nil)
        }
    }

    /// `[o, B, O]`: the unit vector of every output for all samples, or ones for the sum of outputs.
    private static func seed(
        _ kind: KernelKind, _ outputs: Int, _ batch: Int, _ backend: any Backend, _ precision: Precision
    ) throws(BackendError) -> DeviceArray {
        let count = kind.cotangents(outputs) * batch * outputs
        return try backend.upload(
            (0..<count).map { kind == .pseudo || $0 % outputs == $0 / (batch * outputs) ? 1 : 0 }, precision)
    }

    /// Operations and bytes moved for the features of `count` samples.
    func work(of count: Int) -> (flops: Double, bytes: Double) {
        let passes = Double((count + batch - 1) / batch), plan = batched.plan
        let alone = Double(count) * (single == nil ? 0 : 1)
        return (
            passes * Double(plan.flops) + alone * Double(single?.plan.flops ?? 0),
            passes * Double(plan.bytesMoved) + alone * Double(single?.plan.bytesMoved ?? 0)
        )
    }

    /// Memory for the features of `count` samples, sample by sample.
    func allocate(_ count: Int) throws(BackendError) -> [String: DeviceArray] {
        var arrays: [String: DeviceArray] = [:]
        for unit in units {
            let (rows, activation) = unit.elements(cotangents)
            arrays[unit.rows] = try backend.allocate(count * rows, precision)
            if activation > 0 {
                arrays[unit.activation] = try backend.allocate(count * activation, precision)
            }
        }
        return arrays
    }

    /// Fills the features of `count` samples, whose inputs are `x`. `count` is at least the batch size.
    func extract(_ x: DeviceSlice, count: Int, into arrays: [String: DeviceArray]) throws(BackendError) {
        // The last batch overlaps the one before: samples are independent, so nothing needs padding.
        for start in stride(from: 0, to: count, by: batch) {
            try run(batched, seed, x, min(start, count - batch), batch, count, arrays)
        }
        if let single, let singleSeed {
            for sample in 0..<count { try run(single, singleSeed, x, sample, 1, count, arrays) }
        }
    }

    private func run(
        _ executable: any Executable, _ seed: DeviceArray, _ x: DeviceSlice, _ start: Int, _ rows: Int,
        _ count: Int, _ arrays: [String: DeviceArray]
    ) throws(BackendError) {
        let perSample = x.count / count
        let inputs = executable.plan.inputs.map { port in
            switch port.name {
            case "cotangent": seed.all
            case "x": x[start * perSample..<(start + rows) * perSample]
            default: bound[port.name]!
            }
        }
        let outputs = executable.plan.outputs.map { port in
            let width = port.shape.count / rows
            return arrays[port.name]![start * width..<(start + rows) * width]
        }
        try executable.run(inputs: inputs, outputs: outputs)
    }
}
