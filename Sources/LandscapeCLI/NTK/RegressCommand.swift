import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Models
import Training

/// Regression with the empirical neural tangent kernel, and gradient flow of the linearised network.
struct RegressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "regress",
        abstract: "Kernel regression and gradient flow of the linearised network, in closed form.",
        discussion: """
            Examples:
              landscape ntk regress --model m.yaml --weights w.safetensors --data digits:train:300 \
            --test-data digits:test:200 --ridge 0.001 --output runs/regress
              landscape ntk regress --model m.yaml --data digits:train:300 --kind full --times 0,1,10,100,inf --json
              landscape ntk regress --model m.yaml --inputs x.npy --labels y.npy --kernel k.npy --solver cg

            The network is linearised at its weights, f(x) = f₀(x) + J(x)(θ − θ₀), with the loss 1/(2N) Σ‖f(x) − y‖²; \
            labels become one-hot rows. full is the linearised network exactly; mean takes one kernel for all outputs, \
            and so do trace and pseudo, divided by the number of outputs; diagonal takes every output for itself. \
            `docs/ntk.md` has the formulas.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var test: TestDataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "full, mean, diagonal, pseudo or trace; mean unless --kernel has a manifest that tells.")
    var kind: KernelKind?

    @Option(help: "Added to the diagonal of the kernel; 0 is ridgeless.")
    var ridge: Double?

    @Option(help: "The same as a fraction of the kernel's mean diagonal element.")
    var relativeRidge: Double?

    @Flag(help: "Let the network start at zero: f₀ := 0, with the same kernel.")
    var zeroStart = false

    @Option(
        help:
            "Times of gradient flow, such as 0,1,10,inf; in steps with --learning-rate. Default: from the spectrum."
    )
    var times: TimeList?

    @Option(help: "Full-batch gradient descent with this learning rate instead of gradient flow.")
    var learningRate: Double?

    @Option(help: "auto, cholesky or cg; auto takes cholesky if it fits --memory.")
    var solver: SolverName = .auto

    @Option(help: "Largest relative residual of cg; 1e-10 unless given, or 1e-5 on a device without float64.")
    var tolerance: Double?

    @Option(help: "Rank of the Nyström preconditioner of cg; 0 for none.")
    var preconditionerRank = 50

    @Flag(
        inversion: .prefixedNo,
        help: "Decompose the kernel, for flow and alignment; the default is to do it up to 4,000 rows.")
    var spectrum: Bool?

    @Option(help: "A finished kernel of the samples as .npy, as `landscape ntk --output` writes it.")
    var kernel: String?

    @Option(
        help:
            "A finished kernel between held-out samples and samples: `landscape ntk --inputs2` with the latter."
    )
    var testKernel: String?

    @Option(help: "Most memory of the whole command, such as 2GB or 512MiB; a plain number is one of MiB.")
    var memory = ByteCount(bytes: 1 << 30)

    @Option(help: "Folder for predictions, flow, eigenvalues, metrics and figures.")
    var output: String?

    /// Solvers by short names.
    enum SolverName: String, ExpressibleByArgument, CaseIterable {
        case auto, cholesky, cg
    }

    func validate() throws {
        for (name, value) in [("--ridge", ridge), ("--relative-ridge", relativeRidge)] {
            if let value, !(value >= 0) || !value.isFinite {
                throw ValidationError("\(name) is a finite number from 0, found \(plain(value))")
            }
        }
        if ridge != nil, relativeRidge != nil {
            throw ValidationError("--ridge and --relative-ridge exclude each other")
        }
        if let learningRate, !(learningRate > 0) || !learningRate.isFinite {
            throw ValidationError("--learning-rate is a positive number, found \(plain(learningRate))")
        }
        if let tolerance, !(tolerance > 0 && tolerance < 1) {
            throw ValidationError("--tolerance is between 0 and 1, found \(plain(tolerance))")
        }
        if !(0...100_000).contains(preconditionerRank) {
            throw ValidationError(
                "--preconditioner-rank is between 0 and 100,000, found \(preconditionerRank)")
        }
        if let times, times.values.count > 10_000 {
            throw ValidationError("--times are 10,000 at most, found \(times.values.count)")
        }
        if learningRate != nil, let times,
            let bad = times.values.first(where: { $0.isFinite && $0 != $0.rounded() })
        {
            throw ValidationError("--times with --learning-rate are whole numbers of steps, found \(bad)")
        }
        let asks = times != nil ? "--times" : learningRate != nil ? "--learning-rate" : nil
        if let asks, spectrum == false {
            throw ValidationError("\(asks) needs eigenvalues, --no-spectrum forbids them")
        }
        if solver == .cg, spectrum == true || asks != nil {
            throw ValidationError(
                "--solver cg decomposes no kernel: --spectrum, --times and --learning-rate need cholesky")
        }
        if solver == .cholesky, tolerance != nil {
            throw ValidationError("--tolerance is one of --solver cg; cholesky is exact to rounding")
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: true)
        let network = try model.network(samples)
        try samples.check(network, nil, common.precision)
        let held = try test.load()
        try held?.check(network, nil, common.precision)
        if testKernel != nil, held == nil {
            throw CommandError("--test-kernel needs the held-out samples: give --test-inputs or --test-data")
        }
        let weights = try model.loadOrStart(network, seed: common.seed)
        let kernels = try RegressionKernels(self, network, weights, samples, held)
        let isNew = output.map { !FileManager.default.fileExists(atPath: $0) } ?? false
        let folder = try output.map { try RegressionFiles.prepare($0) }
        do {
            let backend = try common.open()
            try RegressionRun(self, kernels, samples, held, on: backend).run(folder)
        } catch {
            // A new folder goes with the run that failed, unless something is in it.
            if isNew, let output { rmdir(output) }
            throw error
        }
    }
}
