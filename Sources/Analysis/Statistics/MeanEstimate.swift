/// A mean over independent samples with its standard error.
public struct MeanEstimate: Sendable {
    /// The mean.
    public let mean: Double
    /// Sample standard deviation over √n; not a number for a single sample, which tells nothing about its error.
    public let standardError: Double
    /// Number of samples.
    public let count: Int

    /// An estimate whose error is known in another way.
    init(mean: Double, standardError: Double, count: Int) {
        (self.mean, self.standardError, self.count) = (mean, standardError, count)
    }

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

extension MeanEstimate {
    /// The interval that holds the mean of the distribution in a share `confidence` of all cases, if samples are normal
    /// or many. Not a number at both ends for a single sample.
    public func interval(confidence: Double = 0.95) -> (lower: Double, upper: Double) {
        guard count > 1 else { return (.nan, .nan) }
        let reach =
            standardError
            * StudentT(degreesOfFreedom: Double(count - 1)).intervalFactor(confidence: confidence)
        return (mean - reach, mean + reach)
    }
}
