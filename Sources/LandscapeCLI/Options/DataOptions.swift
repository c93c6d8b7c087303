import ArgumentParser
import Data
import Graph
import Models
import Planner
import Training

/// Where samples come from: arrays of one's own, or a data set by name.
struct DataOptions: ParsableArguments {
    @Option(help: "Samples as .npy, [N, …] in the model's input shape.")
    var inputs: String?

    @Option(help: "Class labels as .npy, [N] whole numbers from 0.")
    var labels: String?

    @Option(help: "Regression targets as .npy, [N, O].")
    var targets: String?

    @Option(
        help: ArgumentHelp(
            "NAME[:SPLIT[:COUNT]] instead of arrays: digits, fashion-mnist, mnist, cifar10, cifar100 or a folder.",
            discussion: "COUNT takes a subset with equally many samples of every class, the same each time."))
    var data: String?

    /// Reads the samples; labels or targets may be missing unless they are needed.
    func load(needsTargets: Bool) throws -> Samples {
        switch (inputs, data) {
        case (nil, nil): throw CommandError("no samples: give --inputs x.npy, or --data NAME[:SPLIT[:COUNT]]")
        case (.some, .some): throw CommandError("--inputs and --data exclude each other")
        case (nil, .some(let data)):
            if labels != nil || targets != nil {
                throw CommandError("--labels and --targets go with --inputs; --data brings its own")
            }
            return try Samples(DataSource(parsing: data).load().validated(), file: data)
        case (.some(let inputs), nil):
            if labels != nil && targets != nil {
                throw CommandError("--labels and --targets exclude each other")
            }
            if needsTargets && labels == nil && targets == nil {
                throw CommandError("the loss needs --labels y.npy or --targets t.npy")
            }
            return try Samples(
                inputs: Npy.read(inputs).scaledPixels, labels: labels.map { try Npy.read($0) },
                targets: targets.map { try Npy.read($0) }, file: inputs, labelFile: labels,
                targetFile: targets)
        }
    }
}

/// Samples ready for a network.
struct Samples {
    /// `[N, …]`.
    private(set) var inputs: NDArray
    /// Class labels, if there are any.
    private(set) var labels: [Int]?
    /// Regression targets `[N, O]`, if there are any.
    private(set) var targets: NDArray?
    /// Number of classes or outputs, if known.
    let classes: Int?
    /// What the inputs are called in messages.
    let file: String
    /// What the labels are called in messages.
    let labelFile: String

    init(_ dataset: Dataset, file: String) throws {
        (inputs, labels, targets, classes) = (
            dataset.inputs, dataset.labels, dataset.targets, dataset.classes
        )
        (self.file, labelFile) = (file, file)
    }

    init(
        inputs: NDArray, labels: NDArray?, targets: NDArray?, file: String, labelFile: String?,
        targetFile: String?
    ) throws {
        self.inputs = inputs
        self.file = file
        self.labelFile = labelFile ?? ""
        guard let count = inputs.shape.first, inputs.shape.count > 1 else {
            throw CommandError("\(file): shape \(inputs.shape), expected samples [N, …]")
        }
        guard count > 0 else { throw CommandError("\(file): no samples (shape \(inputs.shape))") }
        if let bad = inputs.firstNonFinite {
            let sample = bad / max(1, inputs.count / count)
            throw CommandError(
                "\(file): sample \(sample) holds \(plain(inputs.doubles[bad])); inputs must be finite")
        }
        self.labels = try labels.map { try Self.integers($0, count, labelFile ?? "") }
        if let targets {
            let name = targetFile ?? ""
            guard targets.shape.count == 2, targets.shape[0] == count else {
                throw CommandError(
                    "\(name): shape \(targets.shape), expected [\(count), O] for \(count) samples")
            }
            if let bad = targets.firstNonFinite {
                throw CommandError(
                    "\(name): row \(bad / targets.shape[1]) holds \(plain(targets.doubles[bad]))")
            }
        }
        self.targets = targets
        if let largest = self.labels?.max(), largest >= Self.mostClasses {
            throw CommandError("\(labelFile ?? ""): label \(largest) is out of range")
        }
        classes = self.labels.map { ($0.max() ?? 0) + 1 } ?? targets.map { $0.shape[1] }
    }

    private static let mostClasses = 1_000_000

    private static func integers(_ labels: NDArray, _ count: Int, _ file: String) throws -> [Int] {
        guard labels.shape == [count] else {
            throw CommandError("\(file): shape \(labels.shape), expected [\(count)] for \(count) samples")
        }
        guard let values = labels.integers else {
            throw CommandError("\(file): labels are whole numbers, found others")
        }
        return values
    }

    /// Whether a loss can be computed.
    var hasTargets: Bool { labels != nil || targets != nil }

    /// Number of samples.
    var count: Int { inputs.shape[0] }

    /// The first samples: `most` of them, or all if there are fewer.
    func prefix(_ most: Int) -> Samples {
        if most >= count { return self }
        var first = self
        first.inputs = inputs.rows(0..<most)
        first.labels = labels.map { Array($0.prefix(most)) }
        first.targets = targets?.rows(0..<most)
        return first
    }

    /// Throws unless samples and targets suit a measurement: the network, the loss, the format, an attack.
    func check(
        _ network: Network, _ loss: Loss? = nil, _ precision: Precision = .float64, _ attack: Attack? = nil
    ) throws {
        try checkShapes(network)
        let width = max(1, inputs.count / count)
        let limit = precision == .float32 ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude
        let values = inputs.doubles
        if let bad = values.firstIndex(where: { abs($0) > limit }) {
            throw CommandError(
                "\(file): sample \(bad / width) holds \(values[bad]), too large for \(precision)")
        }
        if attack != nil, let bad = values.firstIndex(where: { $0 < 0 || $0 > 1 }) {
            throw CommandError(
                "\(file): sample \(bad / width) holds \(values[bad]), but attacks act on pixels in [0, 1]; "
                    + "put a normalize layer into the model instead of normalising the samples")
        }
        guard loss == .crossEntropy, let targets else { return }
        let rows = targets.doubles
        for row in 0..<count {
            let part = rows[row * targets.shape[1]..<(row + 1) * targets.shape[1]]
            if part.contains(where: { $0 < 0 }) || abs(part.reduce(0, +) - 1) > 1e-3 {
                throw CommandError(
                    "cross-entropy needs class labels or rows of probabilities; target row \(row) is "
                        + "\(Array(part.prefix(4))): use --loss mse for regression, or whole-number labels")
            }
        }
    }

    private func checkShapes(_ network: Network) throws {
        guard Array(inputs.shape.dropFirst()) == network.input.dims else {
            throw CommandError(
                "\(file): samples of shape \(Array(inputs.shape.dropFirst())), the model takes \(network.input.dims)"
            )
        }
        if let labels, let bad = labels.firstIndex(where: { $0 < 0 || $0 >= network.outputs }) {
            throw CommandError(
                "\(labelFile): label \(labels[bad]) of sample \(bad) is out of range for \(network.outputs) classes"
            )
        }
        if let targets, targets.shape[1] != network.outputs {
            throw CommandError(
                "targets have \(targets.shape[1]) columns, the model has \(network.outputs) outputs")
        }
    }

    /// Targets `[N, O]` row-major: as given, or one-hot rows of the labels.
    func targetRows(_ network: Network) throws -> [Double] {
        if let targets { return targets.doubles }
        guard let labels else { throw CommandError("the loss needs --labels y.npy or --targets t.npy") }
        var rows = [Double](repeating: 0, count: labels.count * network.outputs)
        for (sample, label) in labels.enumerated() { rows[sample * network.outputs + label] = 1 }
        return rows
    }
}
