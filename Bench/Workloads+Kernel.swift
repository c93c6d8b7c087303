import Analysis
import Backend
import Graph
import Models
import Planner
import Training

extension Workload {
    /// Tangent kernels of samples with themselves, from samples and weights on the device to a matrix on the host.
    static func kernel(_ precision: Precision) throws -> [Workload] {
        let cases = try NetworkCase.all()
        return cases.flatMap { item -> [Workload] in
            switch item.name {
            case "mlp": [kernel(item, 512, .full, precision), kernel(item, 512, .trace, precision)]
            case "cnn":
                [
                    kernel(item, 32, .full, precision), kernel(item, 256, .full, precision),
                    kernel(item, 256, .trace, precision),
                ]
            default: []
            }
        }
    }

    /// The kernel of `count` samples. The first run plans, later ones use the plans again. It is checked in the
    /// entries of two samples.
    private static func kernel(
        _ item: NetworkCase, _ count: Int, _ kind: KernelKind, _ precision: Precision
    ) -> Workload {
        let id = "kernel/\(item.name)/\(kind.rawValue)-\(count)"
        return Workload(id, quick: count == 32, precision) { setting in
            let network = item.network, backend = setting.backend
            let arrays = try NetworkArrays(
                network, item.weights(setting.seed, precision), on: backend, precision)
            let width = network.input.count
            let inputs = BoundProgram.random(count * width, setting.seed, "kernel samples", precision)
            var options = EmpiricalNTK.Options()
            options.keepsTimes = false
            let kernel = try EmpiricalNTK(
                { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
                fixed: arrays.boundState, x: (try backend.upload(inputs, precision), count), kind: kind,
                options, on: backend)
            let result = try KernelMemory(
                rows: kernel.rows, columns: kernel.columns, planes: kernel.planes, precision)
            return PreparedWorkload(
                start: { try kernel.run(into: result) },
                check: {
                    let samples = [0, count - 1]
                    let expected = setting.references.value("\(id) \(precision) \(setting.seed)") {
                        let weights = item.weights(setting.seed, precision)
                        return item.kernel(
                            weights, samples.map { Array(inputs[$0 * width..<($0 + 1) * width]) }, kind)
                    }
                    let rows = kind.rows(network.outputs), elements = result.elements
                    let places = samples.flatMap { sample in (0..<rows).map { sample * rows + $0 } }
                    let entries = places.flatMap { i in places.map { elements[i * kernel.columns + $0] }
                    }
                    return Check(entries, expected, tolerance: NetworkCase.tolerance(precision))
                }, flops: Int(kernel.costs.reduce(0) { $0 + $1.flops }), samples: count)
        }
    }
}

extension NetworkCase {
    /// The full kernel or its trace between some samples, by the interpreter, row-major.
    fileprivate func kernel(_ weights: Weights, _ samples: [[Double]], _ kind: KernelKind) -> [Double] {
        let outputs = network.outputs
        let jacobian = samples.map { sample in
            (0..<outputs).map { jacobianRow(weights, sample, $0) }
        }
        func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        if kind == .full {
            let rows = jacobian.flatMap { $0 }
            return rows.flatMap { a in rows.map { inner(a, $0) } }
        }
        return jacobian.flatMap { a in jacobian.map { b in zip(a, b).reduce(0) { $0 + inner($1.0, $1.1) } } }
    }

    /// The gradient of one output at one sample, by the interpreter.
    private func jacobianRow(_ weights: Weights, _ sample: [Double], _ output: Int) -> [Double] {
        let program = Program.trace { t in
            let logits = t.inline(network.forward(batchSize: 1), inputs: [:])[0]
            let parameters = network.layout.entries.map { t.input($0.name, $0.shape) }
            let seed = t.input("cotangent", logits.shape)
            return zip(network.layout.entries, t.vjp([(of: logits, cotangent: seed)], to: parameters))
                .map { ($0.name, $1) }
        }
        var inputs = ["x": sample, "cotangent": (0..<network.outputs).map { $0 == output ? 1.0 : 0 }]
        for entry in network.layout.entries { inputs[entry.name] = Array(weights.parameters[entry.range]) }
        for entry in network.state.entries { inputs[entry.name] = Array(weights.state[entry.range]) }
        return Interpreter.run(program, inputs).flatMap { $0 }
    }
}
