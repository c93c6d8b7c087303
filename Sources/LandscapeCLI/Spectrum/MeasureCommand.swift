import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Models
import Training

extension SpectrumEnd: ExpressibleByArgument {}
extension EigenpairAcceptance: ExpressibleByArgument {}
extension TraceMethod: ExpressibleByArgument {}

/// The spectrum of one network.
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Eigenvalues, trace and density of one network's curvature.",
        discussion: """
            Examples:
              landscape spectrum --model m.yaml --weights w.safetensors --inputs x.npy --labels y.npy --top 5 --json
              landscape spectrum --model cnn --data digits:train:500 --top 10 --which BE --trace ±1% --density --output runs/s
              landscape spectrum --model cnn --data digits:train:500 --operator ggn --subset 0 --top 3 --per-layer

            Every eigenvalue comes with its residual ‖Av − λv‖: one eigenvalue lies within its residual of the number shown, \
            and a multiple one is listed as often as it occurs. The trace comes with its interval. The density is a quadrature \
            (nodes and weights that sum to 1) with a band over probes; what stands apart from the bulk is listed, not smeared. \
            Without --top, --trace, --density, --log-det, --diagonal or --per-layer, the top eigenvalue is computed. With \
            --output, arrays and figures are written there, and a run that was killed goes on. Networks are in evaluation mode.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var curvature: CurvatureOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var attack: AttackOptions

    @Option(help: "How many eigenvalues.")
    var top: Int?

    @Option(help: "LA (the largest), SA (the smallest) or BE (half from each end, the odd one from the top).")
    var which: SpectrumEnd = .largest

    @Option(
        defaultAsFlag: TraceAccuracy.probes,
        help: ArgumentHelp(
            "Estimate the trace: from --probes vectors, or until its 95 % interval is ±1% (or another accuracy).",
            valueName: "accuracy"))
    var trace: TraceAccuracy?

    @Option(help: "hutchinson, hutch++ or xtrace. (default: hutchinson; hutch++ for an accuracy)")
    var traceMethod: TraceMethod?

    @Option(help: "Most products for a trace of a given accuracy.")
    var traceProducts = 4096

    @Flag(help: "Estimate the density.")
    var density = false

    @Option(help: "Standard deviation to which the density is smoothed; chosen from the data unless given.")
    var bandwidth: Double?

    @Option(
        defaultAsFlag: "0",
        help: ArgumentHelp(
            "Estimate log det(A + shift·I), from the density's points.", valueName: "shift"))
    var logDet: String?

    @Flag(help: "Estimate the diagonal, exactly if --probes is the number of parameters; needs --output.")
    var diagonal = false

    @Flag(help: "The spectrum of every layer's own block, and the norms of the blocks between layers.")
    var perLayer = false

    @Option(help: "Lanczos steps of each probe of the density.")
    var lanczosSteps = 60

    @Option(help: "Most products for eigenvalues. (default: as many as they take)")
    var eigenvalueProducts: Int?

    @Option(help: "Random vectors for trace, density and diagonal.")
    var probes = 10

    @Option(
        help: "Vectors of a Lanczos block; one needs the fewest products. Eigenvalues do not depend on it.")
    var blockSize = 1

    @Option(
        help:
            "Residuals, or errors with --accept values, are accepted below this fraction of their eigenvalue (1e-5 in float32, 1e-10 in float64), or below rounding noise (16 ε‖A‖)."
    )
    var tolerance: Double?

    @Option(
        help:
            "What --tolerance is for: residuals, or values, whose proven errors it bounds with fewer products and less accurate vectors."
    )
    var accept: EigenpairAcceptance = .residuals

    @Option(help: "Most memory of the whole command, such as 2GB; all of the device's unless given.")
    var memory: ByteCount?

    @Option(help: "Folder for results, arrays and figures; the same command goes on where it was killed.")
    var output: String?

    @Option(help: "Write the eigenvectors of --top to this .npy file, one per row.")
    var saveVectors: String?

    @Flag(help: "Say what the run would cost, from one measured product, and stop.")
    var plan = false

    /// The shift of the determinant.
    var shift: Double? { logDet.flatMap { Double($0) } }

    /// Whether the quadrature is needed.
    var needsDensity: Bool { density || logDet != nil }

    /// Eigenvalues to find.
    var count: Int? {
        top ?? (trace != nil || needsDensity || diagonal || perLayer ? nil : 1)
    }

    /// The way to a trace of an accuracy.
    func method(_ accuracy: TraceAccuracy) -> TraceMethod {
        traceMethod ?? (accuracy.relative == nil ? .hutchinson : .hutchPlusPlus)
    }

    func validate() throws {
        try trace?.validate()
        if let logDet, Double(logDet) == nil {
            throw ValidationError("--log-det \(logDet): expected a number, or nothing")
        }
        if let top, !(1...100_000).contains(top) {
            throw ValidationError("--top is at least 1, found \(top)")
        }
        if !(1...1_000_000).contains(lanczosSteps) {
            throw ValidationError("--lanczos-steps is between 1 and a million, found \(lanczosSteps)")
        }
        if let eigenvalueProducts, eigenvalueProducts < 1 {
            throw ValidationError("--eigenvalue-products is at least 1, found \(eigenvalueProducts)")
        }
        if !(1...1_000_000).contains(probes) {
            throw ValidationError("--probes is between 1 and a million, found \(probes)")
        }
        if let tolerance, !(tolerance > 0 && tolerance < 1) {
            throw ValidationError("--tolerance is above 0 and below 1, found \(tolerance)")
        }
        if accept == .values, curvature.matrix == .danskin {
            throw ValidationError(
                "--accept values needs a symmetric matrix; products of danskin are only nearly so")
        }
        if let bandwidth, !(bandwidth > 0 && bandwidth.isFinite) {
            throw ValidationError("--bandwidth is positive, found \(bandwidth)")
        }
        if bandwidth != nil, !density { throw ValidationError("--bandwidth goes with --density") }
        if !(1...256).contains(blockSize) {
            throw ValidationError("--block-size is between 1 and 256, found \(blockSize)")
        }
        if !(2...1_000_000).contains(traceProducts) {
            throw ValidationError("--trace-products is between 2 and a million, found \(traceProducts)")
        }
        if trace != nil, curvature.cross != nil {
            throw ValidationError("--trace with --cross: the trace of that matrix is zero")
        }
        if traceMethod != nil, trace == nil { throw ValidationError("--trace-method goes with --trace") }
        if saveVectors != nil, count == nil { throw ValidationError("--save-vectors needs --top") }
        if diagonal, output == nil { throw ValidationError("--diagonal needs --output") }
        if perLayer, curvature.curvature == nil || curvature.cross != nil {
            throw ValidationError("--per-layer is for matrices of weights, without --cross")
        }
        for (name, path) in [
            ("--inputs", data.inputs), ("--weights", model.weights), ("--model", model.model),
            ("--labels", data.labels), ("--targets", data.targets),
        ] {
            guard let path, let saveVectors else { continue }
            if URL(fileURLWithPath: path).standardizedFileURL
                == URL(fileURLWithPath: saveVectors).standardizedFileURL
            {
                throw ValidationError("--save-vectors and \(name) are the same file, \(saveVectors)")
            }
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: true)
        let network = try model.network(samples)
        try samples.check(network, curvature.loss, common.precision, attack.chosen)
        _ = try curvature.parameters(network.layout)
        try SpectrumRun(self, network, samples).run()
    }
}
