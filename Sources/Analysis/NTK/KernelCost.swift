/// What the parts of a kernel cost, by counting.
public struct KernelCost: Sendable, Codable {
    /// The parameters that are computed together.
    public let layer: String
    /// How.
    public let algorithm: KernelAlgorithm
    /// Operations of the contraction of all samples, and those of them in Gram matrices, which are done half.
    public let flops: Double, gramFlops: Double
    /// Bytes that elementwise work moves.
    public let bytes: Double
    /// Bytes of features per sample.
    public let featureBytes: Int
    /// Seconds at this device's measured rates.
    public var predicted: Double?
    /// Seconds that it took, and operations that were done meanwhile: fewer than all where tiles were there before.
    public var seconds: Double?, doneFlops = 0.0

    /// The cost of some tiles of `n` by `m` samples: on the diagonal of a kernel of samples with themselves, and others.
    init(
        _ unit: KernelUnit, _ kind: KernelKind, _ outputs: Int, diagonal: Int, others: Int, n: Int, m: Int,
        elementBytes: Int
    ) {
        let pair = unit.pairCost(kind, outputs), features = unit.elements(kind.cotangents(outputs))
        layer = unit.names.joined(separator: " + ")
        algorithm = unit.algorithm
        gramFlops = pair.flops * Double(diagonal) * Double(n * (n + 1) / 2)
        flops = gramFlops + pair.flops * Double(others) * Double(n * m)
        bytes = pair.elements * Double(elementBytes) * (Double(diagonal * n * n) + Double(others * n * m))
        featureBytes = (features.rows + features.activation) * elementBytes
    }

    /// Operations of a product that take as long as reading or writing one element, where it was not measured: 30 to 60 on
    /// most devices in float32.
    public static let usualBalance = 40.0
}
