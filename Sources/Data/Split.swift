/// A part of a data set.
public enum Split: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// The samples to learn from.
    case train
    /// The samples to judge by.
    case test

    /// `train` or `test`.
    public var description: String { rawValue }

    /// The other part.
    var other: Split { self == .train ? .test : .train }
}

/// The samples and answers found in a folder, before pixels are scaled.
struct RawSamples {
    var inputs: NDArray
    var labels: [Int]?
    var targets: NDArray?
    /// The number of classes, or outputs, that the files show.
    var classes: Int

    /// One more than the largest label of `labels` and `others`; throws for a label that no class can have.
    static func classCount(
        _ labels: [Int], and others: [Int] = [], name: String
    ) throws(DataError) -> Int {
        let largest = max(labels.max() ?? 0, others.max() ?? 0)
        guard largest < 1_000_000 else {
            throw DataError("\(name): a label is \(largest), expected class numbers from 0, below 1,000,000")
        }
        return max(largest, 0) + 1
    }

    /// The data set of these samples, its pixels scaled to [0, 1], or of a balanced subset of `count`.
    func dataset(
        name: String, split: Split, classes known: Int? = nil, count: Int? = nil
    ) throws(DataError) -> Dataset {
        var result = Dataset(
            name: name, split: split.rawValue, inputs: inputs, labels: labels, targets: targets,
            classes: known ?? classes)
        if labels == nil || labels?.count == result.count, let count {
            result = try result.balancedSubset(count: count)
        }
        result.inputs = result.inputs.scaledPixels
        result.targets = result.targets?.realValued
        return try result.validated()
    }
}

extension NDArray {
    /// Whole-number targets as single precision, unscaled.
    fileprivate var realValued: NDArray {
        switch storage {
        case .uint8, .int64: NDArray(shape: shape, floats: floats)
        case .float32, .float64: self
        }
    }
}
