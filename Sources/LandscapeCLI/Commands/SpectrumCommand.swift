import Analysis
import ArgumentParser
import Backend
import Data
import Models
import Report
import Training

/// Eigenvalues, trace and density of a curvature matrix.
struct SpectrumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract: "Top eigenvalues, trace and spectral density of the Hessian or GGN.",
        discussion: """
            Examples:
              landscape spectrum --model m.yaml --weights w.safetensors --inputs x.npy --labels y.npy --top 5 --json
              landscape spectrum --model cnn --data digits:train:500 --operator ggn --top 3 --trace --density

            Eigenvalues are the largest algebraic ones, a multiple one listed as often as it occurs, each with its \
            residual ‖Av − λv‖. The trace is Hutchinson's estimate with its standard error; the density consists of \
            quadrature points (nodes and weights, weights sum to 1). Without --top, --trace or --density, the top \
            eigenvalue is computed. Networks are in evaluation mode.
            """)

    enum Matrix: String, ExpressibleByArgument, CaseIterable { case hessian, ggn }

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var attack: AttackOptions

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @Option(name: .customLong("operator"), help: "hessian or ggn (generalised Gauss-Newton).")
    var matrix: Matrix = .hessian

    @Option(help: "How many eigenvalues.")
    var top: Int?

    @Flag(help: "Estimate the trace.")
    var trace = false

    @Flag(help: "Estimate the density.")
    var density = false

    @Option(
        help: "Lanczos steps of each probe of the density, and the most for eigenvalues if larger than 300.")
    var lanczosSteps = 60

    @Option(help: "Random vectors for trace and density.")
    var probes = 10

    @Option(
        help:
            "Residuals are accepted below this fraction of their eigenvalue, or below rounding noise (16 ε‖A‖)."
    )
    var tolerance: Double?

    private struct Output: Encodable {
        struct Density: Encodable {
            var nodes: [Double]
            var weights: [Double]
        }
        var eigenvalues: [Double]?
        var residuals: [Double]?
        var converged: Bool?
        var trace: Double?
        var traceStandardError: Double?
        var density: Density?
        var dimension: Int
        var samples: Int
        var loss: Double
        var device: String
        var precision: String
    }

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top is at least 1, found \(top)") }
        if !(1...1_000_000).contains(lanczosSteps) {
            throw ValidationError("--lanczos-steps is between 1 and a million, found \(lanczosSteps)")
        }
        if !(1...1_000_000).contains(probes) {
            throw ValidationError("--probes is between 1 and a million, found \(probes)")
        }
        if let tolerance, !(tolerance > 0) {
            throw ValidationError("--tolerance is positive, found \(tolerance)")
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: true)
        let network = try model.network(samples)
        try samples.check(network, loss, common.precision, attack.chosen)
        let weights = try model.loadOrStart(network, seed: common.seed)
        let backend = try common.open()
        let study = try Study(
            network, weights, samples, loss, batchSize: common.batchSize, on: backend, common.precision)
        let risk = try study.risk(attack: attack.chosen, seed: common.seed)
        let curvature: any LinearOperator =
            matrix == .hessian
            ? try CurvatureOperator(.hessian, of: risk) : try CurvatureOperator(.gaussNewton, of: risk)
        var result = Output(
            dimension: curvature.dimension, samples: samples.count, loss: try risk.loss(),
            device: backend.device.name, precision: common.precision.rawValue)
        let count = top ?? (trace || density ? nil : 1)
        if let count {
            guard count <= curvature.dimension else {
                throw CommandError("--top \(count): the model has only \(curvature.dimension) parameters")
            }
            let options = EigenpairOptions(
                tolerance: tolerance, steps: max(300, lanczosSteps), seed: common.seed)
            let pairs = try Eigenpairs.largest(count, of: curvature, options)
            (result.eigenvalues, result.residuals, result.converged) =
                (pairs.values, pairs.residuals, pairs.isConverged)
            if !pairs.isConverged {
                Console.note(
                    "not all eigenvalues converged: see the residuals; more --lanczos-steps may help")
            }
        }
        if trace {
            let estimate = try TraceEstimate.hutchinson(curvature, probes: probes, seed: common.seed)
            result.trace = estimate.mean
            // A single probe tells nothing about its error.
            result.traceStandardError = probes > 1 ? estimate.standardError : nil
        }
        if density {
            let found = try SpectralDensity.estimate(
                curvature, steps: lanczosSteps, probes: probes, seed: common.seed)
            result.density = Output.Density(nodes: found.nodes, weights: found.weights)
        }
        if common.json { return try Console.json(result) }
        show(result)
    }

    private func show(_ result: Output) {
        var rows = [
            ("matrix", "\(matrix.rawValue), \(result.dimension) parameters"),
            ("samples", "\(result.samples)"),
            ("loss", formatSignificant(result.loss, digits: 6)),
        ]
        if let trace = result.trace {
            let error = result.traceStandardError
            let text =
                error.map { formatWithError(trace, error: $0) } ?? "\(formatSignificant(trace)) ± unknown"
            rows.append(("trace ± standard error", text))
        }
        if let density = result.density {
            rows.append(("density points", "\(density.nodes.count)"))
            rows.append(("smallest node", formatSignificant(density.nodes.min() ?? 0, digits: 6)))
            rows.append(("largest node", formatSignificant(density.nodes.max() ?? 0, digits: 6)))
        }
        Console.table(rows)
        guard let values = result.eigenvalues, let residuals = result.residuals else { return }
        var table = Report.Table(
            columns: [
                Report.Column("eigenvalue", alignment: .right), Report.Column("residual", alignment: .right),
            ])
        table.rows = zip(values, residuals).map {
            [Report.Cell(formatSignificant($0, digits: 8)), Report.Cell(formatSignificant($1, digits: 2))]
        }
        print("\n" + table.text)
    }
}
