import Analysis
import ArgumentParser
import Backend
import Foundation

/// Eigenvalues of the tangent kernel without the kernel.
struct KernelSpectrumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract: "Eigenvalues of the kernel by Lanczos on products J·(Jᵀ·v), for kernels that fit nowhere.",
        discussion: """
            Examples:
              landscape ntk spectrum --model m.yaml --weights w.safetensors --data mnist:train --top 20
              landscape ntk spectrum --model cnn --data digits:test:200 --kind full --top 5 --bottom 3 --json

            A product with the full kernel costs two passes over the samples; with trace and mean, two for every output. \
            Eigenvalues come with their residuals ‖Kv − λv‖: one is within its residual of the number shown. The trace is \
            exact; effective rank and density are estimates from random vectors: with few --probes their errors are themselves uncertain. The smallest eigenvalues converge slowly: \
            look at their residuals, and give more --lanczos-steps.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "full, trace, mean or pseudo.")
    var kind: KernelKind = .full

    @Option(help: "How many of the largest eigenvalues. (default: 10, or all if there are fewer)")
    var top: Int?

    @Option(help: "How many of the smallest eigenvalues.")
    var bottom = 0

    @Flag(help: "Estimate the density of eigenvalues.")
    var density = false

    @Option(help: "Random vectors for the effective rank and the density; 0 leaves both out.")
    var probes = 8

    @Option(
        help: "Longest Lanczos factorisation for eigenvalues; a density takes 60 steps, or as many if fewer.")
    var lanczosSteps = 300

    @Option(
        help:
            "Residuals are accepted below this fraction of their eigenvalue, or below rounding noise (16 ε‖K‖)."
    )
    var tolerance: Double?

    @Option(help: "Most memory of the whole command, such as 2GB or 512MiB; a plain number is one of MiB.")
    var memory = ByteCount(bytes: 1 << 30)

    @Option(help: "Write the eigenvectors of the largest eigenvalues to this .npy file, one per row.")
    var saveVectors: String?

    func validate() throws {
        if kind == .diagonal {
            throw ValidationError(
                "--kind diagonal is a kernel for every output; take full, trace, mean or pseudo")
        }
        if let top, !(0...10_000).contains(top) {
            throw ValidationError("--top is between 0 and 10,000, found \(top)")
        }
        if !(0...10_000).contains(bottom) {
            throw ValidationError("--bottom is between 0 and 10,000, found \(bottom)")
        }
        if !(0...10_000).contains(probes) {
            throw ValidationError("--probes is between 0 and 10,000, found \(probes)")
        }
        if !(2...1_000_000).contains(lanczosSteps) {
            throw ValidationError("--lanczos-steps is between 2 and 1,000,000, found \(lanczosSteps)")
        }
        if let tolerance, !(tolerance > 0 && tolerance < 1) {
            throw ValidationError("--tolerance is between 0 and 1, found \(tolerance)")
        }
        if density, probes == 0 { throw ValidationError("--density needs --probes") }
        for (name, path) in [
            ("--inputs", data.inputs), ("--weights", model.weights), ("--model", model.model),
        ] {
            guard let path, let saveVectors else { continue }
            if URL(fileURLWithPath: path).standardizedFileURL
                == URL(fileURLWithPath: saveVectors).standardizedFileURL
            {
                throw ValidationError("--save-vectors and \(name) are the same file, \(saveVectors)")
            }
        }
        if saveVectors != nil, top == 0 { throw ValidationError("--save-vectors needs --top") }
    }

    func run() throws {
        let samples = try data.load(needsTargets: false)
        let network = try model.network(samples)
        try samples.check(network, nil, common.precision)
        try KernelSpectrumRun(self, network, samples).run()
    }
}
