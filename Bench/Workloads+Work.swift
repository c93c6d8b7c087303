import Analysis
import Backend
import Graph
import Models
import Planner
import Training

extension Workload {
    /// The package's own work, through `Analysis` and `Training`.
    static func work(_ precision: Precision) throws -> [Workload] {
        let cases = try NetworkCase.all()
        let curvature = cases.flatMap { item in
            [
                forward(item, precision), gradient(item, precision, quick: item.name != "resnet20"),
                hessianVector(item, precision, quick: item.name == "mlp"),
                hessianBlock(item, precision),
            ]
        }
        return curvature + cases.map { step($0, precision, quick: $0.name == "cnn") }
            + cases.filter { $0.name == "cnn" }.map { kernel($0, precision) }
    }

    private static func forward(_ item: NetworkCase, _ precision: Precision) -> Workload {
        Workload("work/\(item.name)/loss", precision) { setting in
            let risk = try item.risk(setting, precision)
            var loss = 0.0
            return PreparedWorkload(
                start: { loss = try risk.loss() },
                check: {
                    Check(
                        [loss], item.reference(.loss, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: NetworkCase.batch)
        }
    }

    private static func gradient(_ item: NetworkCase, _ precision: Precision, quick: Bool) -> Workload {
        Workload("work/\(item.name)/gradient", quick: quick, precision) { setting in
            let risk = try item.risk(setting, precision), result = try risk.space.vector()
            return PreparedWorkload(
                start: { _ = try risk.gradient(into: result.all) },
                check: {
                    Check(
                        try setting.backend.download(result.all),
                        item.reference(.gradient, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: NetworkCase.batch)
        }
    }

    private static func hessianVector(_ item: NetworkCase, _ precision: Precision, quick: Bool) -> Workload {
        Workload("work/\(item.name)/hessian-vector", quick: quick, precision) { setting in
            let risk = try item.risk(setting, precision), result = try risk.space.vector()
            let hessian = try HessianOperator(risk)
            let vector = try setting.backend.upload(item.direction(setting.seed, precision), precision)
            return PreparedWorkload(
                start: { try hessian.apply(vector.all, into: result.all) },
                check: {
                    Check(
                        try setting.backend.download(result.all),
                        item.reference(.hessianVector, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: NetworkCase.batch)
        }
    }

    /// Four Hessian-vector products at once; the time is that of one. The vectors are multiples of one, so that every
    /// product has a reference and none could be another's.
    private static func hessianBlock(_ item: NetworkCase, _ precision: Precision) -> Workload {
        Workload("work/\(item.name)/hvp-block", precision) { setting in
            let factors = [1.0, -2, 0.5, 4]
            let risk = try item.risk(setting, precision)
            let hessian = try HessianOperator(risk)
            let direction = item.direction(setting.seed, precision)
            let vectors = try factors.map { factor in
                try setting.backend.upload(direction.map { factor * $0 }, precision)
            }
            let results = try factors.map { _ in try risk.space.vector() }
            return PreparedWorkload(
                start: { try hessian.apply(vectors.map(\.all), into: results.map(\.all)) },
                check: {
                    let reference = item.reference(.hessianVector, setting, precision)
                    let products = try zip(factors, results).flatMap { factor, result in
                        try setting.backend.download(result.all).map { $0 / factor }
                    }
                    return Check(
                        products, factors.flatMap { _ in reference },
                        tolerance: NetworkCase.tolerance(precision))
                }, runsPerStart: factors.count, samples: NetworkCase.batch)
        }
    }

    /// A step of SGD with momentum, with the choice of samples and the update.
    ///
    /// The check makes the first step of another trainer, whose data are one batch: the weights then move by the
    /// rate times the gradient.
    private static func step(_ item: NetworkCase, _ precision: Precision, quick: Bool) -> Workload {
        Workload("work/\(item.name)/training-step", quick: quick, precision) { setting in
            func trainer(rate: Double, batches: Int) throws -> Trainer {
                let samples = item.samples(
                    setting.seed, precision, count: batches * NetworkCase.batch)
                return try Trainer(
                    item.network,
                    TrainingOptions(
                        schedule: Schedule(rate: rate), epochs: 1e6, batchSize: NetworkCase.batch,
                        seed: setting.seed),
                    inputs: samples.repeated(samples.inputs).map { Float($0) },
                    targets: samples.repeated(samples.targets).map { Float($0) },
                    weights: item.weights(setting.seed, precision), on: setting.backend, precision)
            }
            let timed = try trainer(rate: 1e-4, batches: 8)
            return PreparedWorkload(
                start: { try timed.advance() },
                check: {
                    let rate = 0.5
                    let once = try trainer(rate: rate, batches: 1)
                    try once.advance()
                    let moved = try once.checkpoint().weights.parameters
                    let start = item.weights(setting.seed, precision).parameters
                    return Check(
                        zip(start, moved).map { ($0 - $1) / rate },
                        item.reference(.trainingGradient, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: NetworkCase.batch)
        }
    }

    /// The full kernel of 32 samples as `EmpiricalNTK` computes it, planning included; checked in the entries of
    /// two samples and two outputs.
    private static func kernel(_ item: NetworkCase, _ precision: Precision) -> Workload {
        let count = 32
        return Workload("work/\(item.name)/tangent-kernel", precision) { setting in
            let network = item.network, backend = setting.backend
            let arrays = try NetworkArrays(
                network, item.weights(setting.seed, precision), on: backend, precision)
            let inputs = BoundProgram.random(
                count * network.input.count, setting.seed, "kernel samples", precision)
            let x = try backend.upload(inputs, precision)
            var result: KernelMatrix?
            return PreparedWorkload(
                start: {
                    result = try EmpiricalNTK(
                        { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
                        fixed: arrays.boundState, x: (x, count), kind: .full, on: backend
                    ).matrix()
                },
                check: {
                    let rows = [(0, 0), (0, 7), (count - 1, 0), (count - 1, 7)]
                    let expected = setting.references.value(
                        "kernel of \(item.name) \(precision) \(setting.seed)"
                    ) {
                        let weights = item.weights(setting.seed, precision)
                        let jacobian = rows.map { sample, output in
                            item.jacobianRow(
                                weights,
                                Array(
                                    inputs[sample * network.input.count..<(sample + 1) * network.input.count]),
                                output)
                        }
                        return jacobian.flatMap { a in
                            jacobian.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
                        }
                    }
                    let places = rows.map { $0.0 * network.outputs + $0.1 }
                    let kernel = result!
                    let found = places.flatMap { i in places.map { kernel.elements[i * kernel.columns + $0] }
                    }
                    return Check(found, expected, tolerance: NetworkCase.tolerance(precision))
                }, samples: count)
        }
    }
}

extension NetworkCase {
    /// The gradient of one output at one sample, by the interpreter.
    fileprivate func jacobianRow(_ weights: Weights, _ sample: [Double], _ output: Int) -> [Double] {
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
