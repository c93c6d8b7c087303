import Backend
import Data

/// A mean over independent samples with its standard error.
public struct MeanEstimate: Sendable {
    /// The mean.
    public let mean: Double
    /// Sample standard deviation over √n; not a number for a single sample, which tells nothing about its error.
    public let standardError: Double
    /// Number of samples.
    public let count: Int

    /// The estimate from samples.
    public init(_ samples: [Double]) {
        let n = Double(max(1, samples.count))
        let mean = samples.reduce(0, +) / n
        let squares = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = mean
        count = samples.count
        standardError = samples.count > 1 ? (squares / (n - 1) / n).squareRoot() : .nan
    }
}

/// The trace of an operator by Hutchinson's estimator: the mean of `⟨z, A·z⟩` over vectors `z` of random signs.
public enum TraceEstimate {
    /// Estimates the trace with `probes` vectors, in blocks of as many as the operator takes.
    public static func hutchinson(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64
    ) throws(BackendError) -> MeanEstimate {
        let space = matrix.space
        let rows = max(1, min(matrix.blockSize, probes))
        var vectors: [DeviceArray] = [], products: [DeviceArray] = []
        for _ in 0..<rows {
            vectors.append(try space.vector())
            products.append(try space.vector())
        }
        var samples: [Double] = []
        for first in stride(from: 0, to: probes, by: rows) {
            let count = min(rows, probes - first)
            for row in 0..<count {
                var random = RandomStream(seed: seed, purpose: "trace probe \(first + row)")
                try space.backend.write(random.rademachers(matrix.dimension), to: vectors[row].all)
            }
            try matrix.apply(vectors[..<count].map(\.all), into: products[..<count].map(\.all))
            for row in 0..<count { samples.append(try space.dot(vectors[row].all, products[row].all)) }
        }
        return MeanEstimate(samples)
    }
}
