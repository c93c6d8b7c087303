/// Samples, with what is to be learned about them.
public struct Dataset: Sendable, Equatable {
    /// The name of the set, such as `digits`.
    public var name: String
    /// The part of the set, such as `train`.
    public var split: String
    /// The samples: `[N, C, H, W]` images with pixels in [0, 1], or `[N, d]` vectors.
    public var inputs: NDArray
    /// The class of every sample, in `0..<classes`; nil for a regression set.
    public var labels: [Int]?
    /// The values to fit, `[N, outputs]`; nil for a classification set.
    public var targets: NDArray?
    /// The number of classes; for a regression set, of outputs.
    public var classes: Int

    /// A data set of these parts, unchecked; see `validated()`.
    public init(
        name: String, split: String, inputs: NDArray, labels: [Int]? = nil, targets: NDArray? = nil,
        classes: Int
    ) {
        self.name = name
        self.split = split
        self.inputs = inputs
        self.labels = labels
        self.targets = targets
        self.classes = classes
    }

    /// The number of samples, N.
    public var count: Int { inputs.shape.first ?? 0 }

    /// `name:split`, as messages call it.
    private var title: String { "data set '\(name):\(split)'" }

    /// The data set itself, if it is sound.
    ///
    /// Throws if there are no samples, if samples are empty or not `[N, d]` or `[N, C, H, W]`, if the counts
    /// of inputs, labels and targets differ, if a label is out of range, or if a number is NaN or infinite.
    public func validated() throws(DataError) -> Dataset {
        guard inputs.shape.count == 2 || inputs.shape.count == 4 else {
            throw DataError("\(title): inputs have shape \(inputs.shape), expected [N, d] or [N, C, H, W]")
        }
        guard count > 0 else { throw DataError("\(title) holds no samples, expected at least one") }
        guard inputs.count > 0 else {
            throw DataError("\(title): the samples are empty, inputs have shape \(inputs.shape)")
        }
        if let bad = inputs.firstNonFinite {
            throw DataError(
                "\(title): sample \(bad / inputs.rowCount) holds NaN or infinity, expected numbers")
        }
        if let labels {
            try check(labels)
        }
        if let targets {
            guard targets.shape.count == 2, targets.shape[0] == count, targets.shape[1] > 0 else {
                throw DataError(
                    "\(title): \(count) inputs but targets of shape \(targets.shape), expected [N, outputs]")
            }
            if let bad = targets.firstNonFinite {
                throw DataError(
                    "\(title): target \(bad / targets.rowCount) holds NaN or infinity, expected numbers"
                )
            }
        }
        return self
    }

    private func check(_ labels: [Int]) throws(DataError) {
        guard labels.count == count else {
            throw DataError("\(title): \(count) inputs but \(labels.count) labels, expected as many")
        }
        if let bad = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
            throw DataError("\(title): sample \(bad) has label \(labels[bad]), expected 0 to \(classes - 1)")
        }
    }

    /// The labels as one-hot rows, `[N, classes]`, single precision.
    ///
    /// Throws if there are no labels, or if one is out of range.
    public func oneHot() throws(DataError) -> NDArray {
        guard let labels else { throw DataError("\(title) has no labels, expected a classification set") }
        try check(labels)
        var values = [Float](repeating: 0, count: labels.count * classes)
        for (row, label) in labels.enumerated() { values[row * classes + label] = 1 }
        return NDArray(shape: [labels.count, classes], floats: values)
    }

    /// The samples at `indices`, in that order; every index must lie in `0..<count`.
    public func subset(at indices: [Int]) -> Dataset {
        var subset = self
        subset.inputs = inputs.rows(at: indices)
        subset.labels = labels.map { labels in indices.map { labels[$0] } }
        subset.targets = targets?.rows(at: indices)
        return subset
    }

    /// `count` samples, the classes as equal as can be; the same ones on every call, whatever the seed.
    ///
    /// The first samples of every class in original order, the classes taking turns: 0, 1, 2, ..., 0, 1, 2,
    /// ... So class counts differ by at most one in every prefix too. Without labels: the first `count`
    /// samples. Throws if `count` is below 1 or above N, or if a class has too few samples.
    public func balancedSubset(count wanted: Int) throws(DataError) -> Dataset {
        guard wanted >= 1 else {
            throw DataError("\(title): a subset of \(wanted) samples, expected at least 1")
        }
        guard wanted <= count else {
            throw DataError("\(title): a subset of \(wanted) samples, but there are only \(count)")
        }
        guard let labels else { return subset(at: Array(0..<wanted)) }
        try check(labels)
        var members = [[Int]](repeating: [], count: classes)
        for (index, label) in labels.enumerated() { members[label].append(index) }
        // The first round in which a class has run out limits every balanced subset.
        for (label, indices) in members.enumerated() {
            let needed = wanted / classes + (label < wanted % classes ? 1 : 0)
            guard indices.count >= needed else {
                let most = members.enumerated().map { $1.count * classes + $0 }.min() ?? 0
                throw DataError(
                    "\(title): a balanced subset of \(wanted) takes \(needed) samples of class \(label), but"
                        + " there are only \(indices.count); the largest balanced subset has \(most)")
            }
        }
        return subset(at: (0..<wanted).map { members[$0 % classes][$0 / classes] })
    }
}
