import Analysis
import ArgumentParser
import Foundation

extension RandomProjection.Distribution: ExpressibleByArgument {}

/// Random projections of per-sample gradients, and the kernel they estimate with its error bars.
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Random projections of per-sample gradients, and the kernel they estimate.",
        discussion: """
            Examples:
              landscape ntk project --model m.yaml --weights w.safetensors --inputs x.npy --output g.npy
              landscape ntk project --model m.yaml --inputs x.npy --dimensions 4096 --distribution sparse --output g.npy
              landscape ntk project --model m.yaml --inputs x.npy --kind full --output g.npy --gram k.npy --errors e.npy

            Features are [N, O, k] (pseudo: [N, k]); the mean of their products over many seeds is the kernel. The random \
            matrix depends on --seed, --dimensions, --distribution and --blocks alone. Every estimated entry has a \
            standard error: 95 % intervals reach as many of them to either side as the result says. Networks are in \
            evaluation mode.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "Features of a gradient. A diagonal entry's relative error is about √(2/k).")
    var dimensions = 512

    @Option(help: "rademacher, gaussian or sparse: what the random matrix is made of.")
    var distribution: RandomProjection.Distribution = .rademacher

    @Option(
        help:
            "Independent blocks of a sparse matrix, each with one sign for every parameter. --dimensions is a multiple of them. (default: 16)"
    )
    var blocks: Int?

    @Option(
        help:
            "full, trace, mean or pseudo: which kernel --gram estimates; pseudo projects the sum of outputs.")
    var kind: KernelKind = .trace

    @Option(help: "Most memory of the whole command, such as 2GB or 512MiB; a plain number is one of MiB.")
    var memory = ByteCount(bytes: 1 << 30)

    @Option(help: "Write the features to this .npy file.")
    var output: String

    @Option(help: "Write the estimated kernel to this .npy file: [N·O, N·O] for full, else [N, N].")
    var gram: String?

    @Option(help: "Write the standard error of every entry of --gram to this .npy file.")
    var errors: String?

    /// The random matrix.
    var projection: RandomProjection {
        RandomProjection(distribution, dimensions: dimensions, blocks: blocks ?? 16, seed: common.seed)
    }

    func validate() throws {
        guard (2...1 << 20).contains(dimensions) else {
            throw ValidationError("--dimensions is between 2 and 1,048,576, found \(dimensions)")
        }
        if blocks != nil, distribution != .sparse {
            throw ValidationError("--blocks go with --distribution sparse, not with \(distribution.rawValue)")
        }
        let blocks = blocks ?? 16
        if distribution == .sparse {
            guard (2...dimensions).contains(blocks) else {
                throw ValidationError("--blocks is between 2 and --dimensions \(dimensions), found \(blocks)")
            }
            guard dimensions % blocks == 0 else {
                throw ValidationError(
                    "--dimensions of a sparse matrix is a multiple of its \(blocks) --blocks, found \(dimensions)"
                )
            }
        }
        if kind == .diagonal {
            throw ValidationError("--kind is full, trace, mean or pseudo here, found diagonal")
        }
        if errors != nil, gram == nil { throw ValidationError("--errors needs --gram") }
        try checkFiles()
    }

    /// No file is written over another one of the same command.
    private func checkFiles() throws {
        func place(_ path: String) -> URL {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL
        }
        let read = [
            ("--inputs", data.inputs), ("--labels", data.labels), ("--targets", data.targets),
            ("--weights", model.weights), ("--model", model.model),
        ]
        let written = [("--output", output), ("--gram", gram), ("--errors", errors)]
        for (index, (flag, path)) in written.enumerated() {
            guard let path else { continue }
            for (other, file) in read + written[..<index] {
                if let file, place(file) == place(path) {
                    throw ValidationError("\(flag) and \(other) are the same file, \(path)")
                }
            }
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: false)
        let network = try model.network(samples)
        try samples.check(network, nil, common.precision)
        try ProjectRun(self, network, samples).run()
    }
}
