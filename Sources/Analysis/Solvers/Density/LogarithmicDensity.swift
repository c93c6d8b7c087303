import Foundation

/// Densities of log₁₀|λ| per decade, of negative and of positive eigenvalues apart.
public struct LogarithmicDensity: Sendable, Codable, Equatable {
    /// Nil where there is nothing to smooth. Points are places on the logarithmic axis.
    public let negative: DensityCurve?, positive: DensityCurve?
    /// The mass of eigenvalues that are zero up to noise, which have no logarithm.
    public let massAtZero: Double
}

extension SpectralDensity {
    /// The density of log₁₀|λ|; without a noise, what is below the operator's rounding noise counts as zero. A bandwidth is
    /// in decades.
    public func logarithmicDensity(
        noise: Double? = nil, _ options: DensityCurveOptions = DensityCurveOptions()
    ) -> LogarithmicDensity {
        let noise = noise ?? self.noise, isolated = pointsApart
        let points = bulk(without: isolated), outside = isolated.above + isolated.below
        func curve(_ sign: Double) -> DensityCurve? {
            let part = points.mapped { sign * $0 > noise ? log10(sign * $0) : nil }
            let apart = outside.filter { sign * $0.value > noise }
                .map { IsolatedEigenvalues.Value(value: log10(sign * $0.value), mass: $0.mass) }
            if part.range == nil && apart.isEmpty { return nil }
            return part.curve(over: nil, options, floor: 1e-3, points: apart)
        }
        let zero = points.mapped { abs($0) <= noise ? $0 : nil }
        let masses = zero.massBelow(.infinity, width: 0)
        let apart = outside.filter { abs($0.value) <= noise }.reduce(0) { $0 + $1.mass }
        return LogarithmicDensity(
            negative: curve(-1), positive: curve(1), massAtZero: MeanEstimate(masses).mean + apart)
    }
}
