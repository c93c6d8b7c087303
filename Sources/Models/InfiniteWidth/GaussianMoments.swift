import Foundation

/// Second moments of an activation φ under a centred normal pair (u, v) with variances `a`, `b` and covariance `c`.
protocol GaussianMoments {
    /// `E[φ(u)·φ(v)]` and `E[φ'(u)·φ'(v)]`.
    func moments(_ a: Double, _ b: Double, _ c: Double) -> (value: Double, slope: Double)
}

/// The arc-cosine kernels of order 1 and 0 (Cho and Saul 2009, equations 3 to 6).
extension ReLU: GaussianMoments {
    func moments(_ a: Double, _ b: Double, _ c: Double) -> (value: Double, slope: Double) {
        // √(ab − c²) = √(ab)·sin θ; the angle from both legs is exact where the cosine alone loses half the digits.
        let height = max(0, a * b - c * c).squareRoot()
        let angle = height == 0 && c == 0 ? Double.pi / 2 : atan2(height, c)
        return ((height + (.pi - angle) * c) / (2 * .pi), (.pi - angle) / (2 * .pi))
    }
}

/// The arc-sine kernel (Williams 1997, equation 11) and that of the slope `2/√π·exp(−x²)`.
extension Erf: GaussianMoments {
    func moments(_ a: Double, _ b: Double, _ c: Double) -> (value: Double, slope: Double) {
        let product = (1 + 2 * a) * (1 + 2 * b)
        // 1 − sine², written so that it does not cancel for equal inputs: product − 4c² ≥ 1.
        let rest = max(product - 4 * c * c, 1)
        return (2 / .pi * atan2(2 * c, rest.squareRoot()), 4 / .pi / rest.squareRoot())
    }
}
