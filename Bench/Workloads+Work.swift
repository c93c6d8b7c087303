import Analysis
import Backend
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
        let many = cases.filter { $0.name == "cnn" }.flatMap { item in
            [
                gradient(item, precision, quick: false, batches: 20),
                hessianVector(item, precision, quick: false, batches: 20),
            ]
        }
        return curvature + many + cases.map { step($0, precision, quick: $0.name == "cnn") }
    }

    /// The end of a name, its batches, and their size: 128 samples, or several batches of 100.
    private static func batched(_ batches: Int?) -> (name: String, count: Int, size: Int) {
        guard let batches else { return ("", 1, NetworkCase.batch) }
        return ("-\(batches * 100)", batches, 100)
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

    private static func gradient(
        _ item: NetworkCase, _ precision: Precision, quick: Bool, batches: Int? = nil
    ) -> Workload {
        let (suffix, count, size) = batched(batches)
        return Workload("work/\(item.name)/gradient\(suffix)", quick: quick, precision) { setting in
            let risk = try item.risk(setting, precision, batches: count, of: size)
            let result = try risk.space.vector()
            return PreparedWorkload(
                start: { _ = try risk.gradient(into: result.all) },
                check: {
                    Check(
                        try setting.backend.download(result.all),
                        item.reference(.gradient, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: count * size)
        }
    }

    private static func hessianVector(
        _ item: NetworkCase, _ precision: Precision, quick: Bool, batches: Int? = nil
    ) -> Workload {
        let (suffix, count, size) = batched(batches)
        return Workload("work/\(item.name)/hessian-vector\(suffix)", quick: quick, precision) { setting in
            let risk = try item.risk(setting, precision, batches: count, of: size)
            let result = try risk.space.vector()
            let hessian = try CurvatureOperator(.hessian, of: risk)
            let vector = try setting.backend.upload(item.direction(setting.seed, precision), precision)
            return PreparedWorkload(
                start: { try hessian.apply(vector.all, into: result.all) },
                check: {
                    Check(
                        try setting.backend.download(result.all),
                        item.reference(.hessianVector, setting, precision),
                        tolerance: NetworkCase.tolerance(precision))
                }, samples: count * size)
        }
    }

    /// Four Hessian-vector products at once; the time is that of one. The vectors are multiples of one, so that every
    /// product has a reference and none could be another's.
    private static func hessianBlock(_ item: NetworkCase, _ precision: Precision) -> Workload {
        Workload("work/\(item.name)/hvp-block", precision) { setting in
            let factors = [1.0, -2, 0.5, 4]
            let risk = try item.risk(setting, precision)
            let hessian = try CurvatureOperator(.hessian, of: risk)
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
}
