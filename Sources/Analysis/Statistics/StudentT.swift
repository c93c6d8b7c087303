import Foundation

/// Student's t distribution: what the mean of few normal samples, divided by its standard error, follows.
public struct StudentT: Sendable {
    /// Degrees of freedom: samples less one. Infinity is the normal distribution.
    public let degreesOfFreedom: Double

    /// The distribution of some degrees of freedom, more than none.
    public init(degreesOfFreedom: Double) {
        precondition(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom")
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// The probability of a value greater than `t`.
    public func upperTail(_ t: Double) -> Double {
        if t < 0 { return 1 - upperTail(-t) }
        let v = degreesOfFreedom
        // Beyond this the logarithms of the gamma function cancel, and the difference from the normal is smaller.
        if v > 1e8 { return erfc(t / 2.0.squareRoot()) / 2 }
        let square = t * t
        if square.isInfinite { return 0 }
        // Abramowitz and Stegun 26.7.1 and 26.5.27: half of I_x(ν/2, 1/2) at x = ν/(ν + t²).
        return incompleteBeta(v / 2, 0.5, x: v / (v + square), complement: square / (v + square)) / 2
    }

    /// The value that a share `p` of the distribution lies below, `0 < p < 1`, to about 12 digits.
    public func quantile(_ p: Double) -> Double {
        precondition(p > 0 && p < 1, "a quantile of probability \(p)")
        if p == 0.5 { return 0 }
        if p < 0.5 { return -value(tail: p) }
        return value(tail: 1 - p)
    }

    /// The factor of the standard error on either side of a mean, so that the interval holds the truth in a share
    /// `confidence` of all cases.
    public func intervalFactor(confidence: Double = 0.95) -> Double { quantile((1 + confidence) / 2) }

    /// The value whose upper tail is `tail`, less than a half: bisection until two neighbours are found.
    private func value(tail: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while upperTail(high) > tail, high < 1e300 { (low, high) = (high, high * 2) }
        while true {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { return high }
            if upperTail(middle) > tail { low = middle } else { high = middle }
        }
    }
}

/// The regularised incomplete beta function `I_x(a, b)`; `complement` is `1 − x` without rounding.
private func incompleteBeta(_ a: Double, _ b: Double, x: Double, complement: Double) -> Double {
    if x <= 0 || complement <= 0 { return x <= 0 ? 0 : 1 }
    let front = exp(
        lgamma(a + b) - lgamma(a) - lgamma(b) + a * logarithm(x, complement) + b * logarithm(complement, x))
    // The fraction converges fast on this side of the mean (Abramowitz and Stegun 26.5.8).
    return x < (a + 1) / (a + b + 2)
        ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, complement) / b
}

/// `log(x)`, precise where `x` is close to 1.
private func logarithm(_ x: Double, _ complement: Double) -> Double {
    complement < 0.5 ? log1p(-complement) : log(x)
}

/// The continued fraction of the incomplete beta function by Lentz's method.
private func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    let tiny = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var d = 1 / kept(1 - (a + b) * x / (a + 1)), c = 1.0
    var result = d
    for step in 1...100_000 {
        let m = Double(step)
        let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / kept(1 + even * d)
        c = kept(1 + even / c)
        result *= d * c
        let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / kept(1 + odd * d)
        c = kept(1 + odd / c)
        result *= d * c
        if abs(d * c - 1) < 1e-16 { break }
    }
    return result
}
