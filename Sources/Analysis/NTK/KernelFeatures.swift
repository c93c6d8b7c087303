import Backend
import Graph
import Planner

/// How the kernel contribution of one parameter is computed.
enum KernelAlgorithm: String, Sendable {
    /// `(δ·δ')(a·a')`: no gradient of a sample is ever formed.
    case denseStructure = "dense structure"
    /// Per-sample gradient rows and a symmetric rank-k update.
    case jacobianRows = "jacobian rows"
    /// Per-sample gradients from one pass per sample and output, because the use of the parameter is unknown.
    case explicitColumns = "explicit columns"
}

/// What one parameter contributes to the kernel: arrays `[O][T, width]` and, for dense weights, `[T, inputs]`.
struct ParameterFeatures {
    let entry: ParameterLayout.Entry
    let algorithm: KernelAlgorithm
    /// Width of a cotangent or gradient row.
    let width: Int
    /// Width of an activation; 0 without structure.
    let inputs: Int

    /// Elements for one sample with all its outputs.
    func elements(outputs: Int) -> Int { outputs * width + inputs }
}

/// Computes features of samples: one batched pull-back per output serves all parameters.
final class FeatureExtractor {
    let parameters: [ParameterFeatures]
    let outputs: Int
    private let batched: any Executable
    private let single: (any Executable)?
    private let batch: Int
    private let backend: any Backend
    private let precision: Precision
    private let bound: [String: DeviceSlice]

    /// Prepares the programs for batches of `batch` samples; `bound` gives weights and other fixed inputs.
    init(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, batch: Int,
        bound: [String: DeviceSlice], on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.batch, self.backend, self.precision, self.bound) = (batch, backend, precision, bound)
        var found: [ParameterFeatures] = []
        var outputCount = 0
        let program = Program.trace { trace in
            let logits = trace.inline(forward(batch), inputs: [:])[0]
            outputCount = logits.shape[1]
            let uses = EntryPoint.find(layout, of: logits, batch: batch)
            // An extent that happens to equal the batch size is no batch: it stays when the batch grows.
            let larger = Trace()
            let grown = EntryPoint.find(
                layout, of: larger.inline(forward(batch + 1), inputs: [:])[0], batch: batch + 1)
            let known = zip(uses, grown).map { ($0 + $1).allSatisfy { $0.target != nil } }
            let targets = zip(uses, known).flatMap { $1 ? $0.compactMap(\.target) : [] }
            var cotangents = trace.vjp(
                [(of: logits, cotangent: trace.input("cotangent", logits.shape))], to: targets)[...]
            var made: [(String, Tensor)] = []
            for ((entry, uses), isKnown) in zip(zip(layout.entries, uses), known) {
                let name = entry.name, count = entry.shape.count
                guard isKnown, !uses.isEmpty else {
                    // A parameter that is never used has a zero gradient; explicit columns find that too.
                    found.append(
                        ParameterFeatures(entry: entry, algorithm: .explicitColumns, width: count, inputs: 0))
                    continue
                }
                let mine = cotangents.prefix(uses.count)
                cotangents = cotangents.dropFirst(uses.count)
                if uses.count == 1, case .dense(let activation, _, _) = uses[0] {
                    made += [("rows of \(name)", mine.first!), ("activation of \(name)", activation)]
                    found.append(
                        ParameterFeatures(
                            entry: entry, algorithm: .denseStructure, width: mine.first!.shape[1],
                            inputs: activation.shape[1]))
                } else {
                    // Shared weights: the gradient is the sum over all uses.
                    let rows = zip(uses, mine).map { $0.rows($1, parameter: entry.shape) }
                    made.append(("rows of \(name)", rows.dropFirst().reduce(rows[0], +)))
                    found.append(
                        ParameterFeatures(entry: entry, algorithm: .jacobianRows, width: count, inputs: 0))
                }
            }
            return made
        }
        parameters = found
        outputs = outputCount
        batched = try backend.compile(program, precision)
        let columns = found.filter { $0.algorithm == .explicitColumns }.map(\.entry)
        single =
            columns.isEmpty
            ? nil
            : try backend.compile(
                .trace { trace in
                    let logits = trace.inline(forward(1), inputs: [:])[0]
                    let seed = trace.input("cotangent", logits.shape)
                    let gradients = trace.vjp(
                        [(of: logits, cotangent: seed)], to: columns.map { trace.input($0.name, $0.shape) })
                    return zip(columns, gradients).map { ("rows of \($0.name)", $1) }
                }, precision)
    }

    /// Memory for the features of `count` samples.
    func allocate(_ count: Int) throws(BackendError) -> [String: DeviceArray] {
        var arrays: [String: DeviceArray] = [:]
        for parameter in parameters {
            let name = parameter.entry.name
            arrays["rows of \(name)"] = try backend.allocate(outputs * count * parameter.width, precision)
            if parameter.inputs > 0 {
                arrays["activation of \(name)"] = try backend.allocate(count * parameter.inputs, precision)
            }
        }
        return arrays
    }

    /// Fills the features of `count` samples, whose inputs are `x`. `count` is at least the batch size.
    func extract(_ x: DeviceSlice, count: Int, into arrays: [String: DeviceArray]) throws(BackendError) {
        // The last batch overlaps the one before: samples are independent, so nothing needs padding.
        let starts = stride(from: 0, to: count, by: batch).map { min($0, count - batch) }
        for output in 0..<outputs {
            let seed = try cotangent(rows: batch, output)
            for start in starts {
                try run(batched, seed, x, start, batch, count, output, arrays)
            }
            if let single {
                let seed = try cotangent(rows: 1, output)
                for sample in 0..<count { try run(single, seed, x, sample, 1, count, output, arrays) }
            }
        }
    }

    private func cotangent(rows: Int, _ output: Int) throws(BackendError) -> DeviceArray {
        try backend.upload((0..<rows * outputs).map { $0 % outputs == output ? 1 : 0 }, precision)
    }

    private func run(
        _ executable: any Executable, _ seed: DeviceArray, _ x: DeviceSlice, _ start: Int, _ rows: Int,
        _ count: Int, _ output: Int, _ arrays: [String: DeviceArray]
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
            let first = port.name.hasPrefix("rows") ? output * count + start : start
            return arrays[port.name]![first * width..<(first + rows) * width]
        }
        try executable.run(inputs: inputs, outputs: outputs)
    }
}
