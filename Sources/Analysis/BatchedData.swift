import Backend
import Planner

/// A data set on a device, cut into batches of one size. The last batch is filled up with zeros whose sample
/// weights are zero, so results do not depend on the batch size.
public final class BatchedData {
    /// Number of real samples.
    public let sampleCount: Int
    /// Samples per batch.
    public let batchSize: Int
    /// Number of batches.
    public var batchCount: Int { batchCount(of: batchSize) }
    private var arrays: [String: (array: DeviceArray, perSample: Int)] = [:]
    private let rows: Int
    private let backend: any Backend, precision: Precision

    /// Uploads arrays by program input name, each with `sampleCount` rows; adds `weights`, which are
    /// 1/sampleCount for every real sample.
    public init(
        _ named: [(name: String, values: [Double])], sampleCount: Int, batchSize: Int,
        on backend: any Backend,
        _ precision: Precision
    ) throws(BackendError) {
        precondition(sampleCount > 0 && batchSize > 0, "\(sampleCount) samples in batches of \(batchSize)")
        self.sampleCount = sampleCount
        self.batchSize = min(batchSize, sampleCount)
        rows = SmallerBatches.rows(for: sampleCount, batchSize: self.batchSize)
        (self.backend, self.precision) = (backend, precision)
        let weights = [Double](repeating: 1 / Double(sampleCount), count: sampleCount)
        for (name, values) in named + [("weights", weights)] { try set(name, values) }
    }

    /// Adds an array with `sampleCount` rows, or replaces the rows of one that is there.
    func set(_ name: String, _ values: [Double]) throws(BackendError) {
        precondition(values.count % sampleCount == 0, "\(values.count) values for \(sampleCount) samples")
        let perSample = values.count / sampleCount
        let known = arrays[name].map(\.array)
        let array = if let known { known } else { try backend.allocate(rows * perSample, precision) }
        try backend.write(values, to: array[0..<values.count])
        arrays[name] = (array, perSample)
    }

    /// Elements of a sample in an array.
    func elementsPerSample(of name: String) -> Int { arrays[name]?.perSample ?? 0 }

    /// Number of batches of another size.
    func batchCount(of size: Int) -> Int { (sampleCount + size - 1) / size }

    /// The rows of one batch, by program input name.
    public func batch(_ index: Int) -> [String: DeviceSlice] { batch(index, of: batchSize) }

    /// The rows of one batch of another size: half of `batchSize` rounded up, half of that, and so on.
    func batch(_ index: Int, of batchSize: Int) -> [String: DeviceSlice] {
        arrays.mapValues { entry in
            let count = batchSize * entry.perSample
            return entry.array[index * count..<(index + 1) * count]
        }
    }
}
