import Foundation

/// How far a way of training has fitted an eigenmode of the kernel. For the loss `1/(2N) Σ‖f(xₙ) − yₙ‖²` of a model that is
/// linear in its weights, every mode goes its own way (Lee et al. 2019, equation 8; Hastie, Tibshirani and Friedman 2009,
/// section 3.4.1, for the ridge).
public enum SpectralFilter: Sendable, Equatable {
    /// Kernel regression with `ridge·I` added to the kernel; 0 is the limit of all others.
    case ridge(Double)
    /// Gradient flow at a time: `exp(−λt/N)` of the residual is left.
    case flow(time: Double)
    /// Full-batch gradient descent after whole steps: `(1 − ηλ/N)ˢ` of the residual is left.
    case descent(steps: Double, learningRate: Double)

    /// The factor of the residual that is left in a mode of eigenvalue λ ≥ 0; 1 for λ = 0.
    public func decay(_ eigenvalue: Double, samples: Int) -> Double {
        guard eigenvalue > 0 else { return 1 }
        switch self {
        case .ridge(let ridge): return ridge / (eigenvalue + ridge)
        case .flow(let time): return exp(-eigenvalue * (time / Double(samples)))
        case .descent(let steps, let rate): return Self.left(eigenvalue * rate / Double(samples), steps)
        }
    }

    /// `(1 − decay)/λ`: dual coefficients are this times the mode's initial residual. For λ = 0 it is its own limit:
    /// `t/N`, `sη/N` or `1/ridge`.
    public func gain(_ eigenvalue: Double, samples: Int) -> Double {
        let n = Double(samples)
        switch self {
        case .ridge(let ridge): return 1 / (eigenvalue + ridge)
        case .flow(let time):
            let exponent = eigenvalue == 0 ? 0 : eigenvalue * (time / n)
            return exponent == 0 ? time / n : -expm1(-exponent) / eigenvalue
        case .descent(let steps, let rate):
            let a = eigenvalue * rate / n
            if a == 0 { return steps * (rate / n) }
            return (a < 1 ? -expm1(steps * log1p(-a)) : 1 - Self.left(a, steps)) / eigenvalue
        }
    }

    /// `(1 − a)ˢ`.
    private static func left(_ a: Double, _ steps: Double) -> Double {
        if steps == 0 { return 1 }
        return a < 1 ? exp(steps * log1p(-a)) : pow(1 - a, steps)
    }
}

/// Learning rates of full-batch gradient descent.
public enum LearningRate {
    /// The largest learning rate at which gradient descent on the linearised model stays stable, `2(1 + μ)N/λmax` with
    /// heavy-ball momentum μ (Polyak 1964); infinite where the kernel is zero.
    public static func largestStable(lambdaMax: Double, samples: Int, momentum: Double = 0) -> Double {
        2 * (1 + momentum) * Double(samples) / max(0, lambdaMax)
    }
}
