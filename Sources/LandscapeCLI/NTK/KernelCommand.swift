import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Report
import Training

extension KernelKind: ExpressibleByArgument {}

/// The empirical neural tangent kernel of a network, or the kernels of its infinite-width limit.
struct KernelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel", abstract: "The kernel as a matrix (what `landscape ntk` does by itself).",
        discussion: """
            full is [N·O, M·O] with index n·O + o; trace is [N, M], the sum over outputs of the diagonal blocks, and \
            mean that over O; diagonal is [O, N, M]; pseudo is the kernel of the sum of outputs. Networks are in \
            evaluation mode. `docs/ntk.md` says how parts are computed and what they cost.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "Second samples as .npy: the kernel between --inputs and these.")
    var inputs2: String?

    @Option(help: "full, trace, mean, diagonal or pseudo.")
    var kind: KernelKind = .trace

    @Option(help: "Most memory of the whole command, such as 2GB or 512MiB; a plain number is one of MiB.")
    var memory = ByteCount(bytes: 1 << 30)

    @Option(help: "Samples of a tile, the unit of work and of resuming; the result does not depend on it.")
    var tile: Int?

    @Option(
        help: "dense, patches, rows or columns: one algorithm wherever it can serve, instead of the cheapest."
    )
    var algorithm: AlgorithmName?

    @Option(help: "Write the kernel to this .npy file, tile by tile, with a manifest beside it.")
    var output: String?

    @Option(help: "A finished kernel of the first samples, whose tiles are taken over.")
    var append: String?

    @Flag(help: "Write every parameter's part beside --output too: k.PART.npy.")
    var perLayer = false

    @Flag(help: "Print what each part will cost, and stop.")
    var plan = false

    @Flag(inversion: .prefixedNo, help: "Compute eigenvalues; the default is to do it up to 2,000 rows.")
    var eigenvalues: Bool?

    @OptionGroup var infinite: InfiniteOptions

    /// Algorithms by short names.
    enum AlgorithmName: String, ExpressibleByArgument, CaseIterable {
        case dense, patches, rows, columns
        var algorithm: KernelAlgorithm {
            switch self {
            case .dense: .denseStructure
            case .patches: .patchGrams
            case .rows: .jacobianRows
            case .columns: .explicitColumns
            }
        }
    }

    func validate() throws {
        for (name, path) in [("--inputs2", inputs2), ("--append", append), ("--inputs", data.inputs)] {
            guard let path, let output else { continue }
            let same =
                URL(fileURLWithPath: path).standardizedFileURL
                == URL(fileURLWithPath: output).standardizedFileURL
            if same { throw ValidationError("--output and \(name) are the same file, \(output)") }
        }
        if eigenvalues == true, kind == .diagonal {
            throw ValidationError("--eigenvalues are of one matrix; --kind diagonal has one for every output")
        }
        if infinite.isAsked,
            plan || append != nil || perLayer || tile != nil || algorithm != nil || eigenvalues == true
        {
            throw ValidationError(
                "--infinite and --width-sweep take none of --plan, --append, --per-layer, --tile, --algorithm, --eigenvalues"
            )
        }
        if infinite.isAsked, model.weights != nil {
            throw ValidationError("--infinite and --width-sweep take no --weights: the limit has none")
        }
        if let tile, !(1...1 << 20).contains(tile) {
            throw ValidationError("--tile is between 1 and 1,048,576, found \(tile)")
        }
        if append != nil, output == nil {
            throw ValidationError("--append needs --output for the larger kernel")
        }
        if append != nil, inputs2 != nil { throw ValidationError("--append takes no --inputs2") }
        if append != nil, perLayer { throw ValidationError("--append takes no --per-layer") }
        if perLayer, output == nil { throw ValidationError("--per-layer needs --output") }
        if eigenvalues == true, inputs2 != nil {
            throw ValidationError(
                "--eigenvalues are of a kernel of samples with themselves, not with --inputs2")
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: false)
        let network = try model.network(samples)
        try samples.check(network, nil, common.precision)
        let others = try inputs2.map {
            try Samples(
                inputs: Npy.read($0).scaledPixels, labels: nil, targets: nil, file: $0, labelFile: nil,
                targetFile: nil)
        }
        try others?.check(network, nil, common.precision)
        if infinite.isAsked {
            return try InfiniteKernels(network, samples, others, infinite, common, output: output).run()
        }
        try KernelRun(self, network, samples, others).run()
    }
}
