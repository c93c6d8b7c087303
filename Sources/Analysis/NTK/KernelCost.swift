/// What the parts of a kernel cost, by counting.
public struct KernelCost: Sendable, Codable {
    /// The parameters that are computed together.
    public let layer: String
    /// How.
    public let algorithm: KernelAlgorithm
    /// Operations of the contraction of all samples.
    public let flops: Double
    /// Bytes that elementwise work moves.
    public let bytes: Double
    /// Bytes of features per sample.
    public let featureBytes: Int
    /// Seconds at this device's measured rates.
    public var predicted: Double?
    /// Seconds that it took.
    public var seconds: Double?

    /// Operations of a product that take as long as reading or writing one element: a device's ratio of matrix product
    /// to memory rate is 30 to 60 operations per float32.
    static let flopsPerElement = 40.0
}
