import Backend
import Data

/// A mean over independent samples with its standard error.
public struct MeanEstimate: Sendable {
    /// The mean.
    public let mean: Double
    /// Sample standard deviation over √n; not a number for a single sample, which tells nothing about its error.
    public let standardError: Double

    /// The estimate from samples.
    public init(_ samples: [Double]) {
        let n = Double(max(1, samples.count))
        let mean = samples.reduce(0, +) / n
        let squares = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = mean
        standardError = samples.count > 1 ? (squares / (n - 1) / n).squareRoot() : .nan
    }
}

/// The trace of an operator by Hutchinson's estimator: the mean of `⟨z, A·z⟩` over vectors `z` of random signs.
public enum TraceEstimate {
    /// Estimates the trace with `probes` vectors.
    public static func hutchinson(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64
    ) throws(BackendError) -> MeanEstimate {
        let space = matrix.space
        let product = try space.vector()
        var samples: [Double] = []
        for probe in 0..<probes {
            var random = RandomStream(seed: seed, purpose: "trace probe \(probe)")
            let z = try space.backend.upload(random.rademachers(matrix.dimension), space.precision)
            try matrix.apply(z.all, into: product.all)
            samples.append(try space.dot(z.all, product.all))
        }
        return MeanEstimate(samples)
    }
}
