import Foundation

extension SpectralDensity {
    /// The trace of a function of the operator, `Σ f(λ)` over all eigenvalues.
    public func trace(of function: (Double) -> Double) -> MeanEstimate {
        let exact = known.reduce(0) { $0 + function($1) }
        let rest = Double(dimension - known.count)
        return MeanEstimate(
            rules.map { rule in
                exact + rest * zip(rule.nodes, rule.weights).reduce(0) { $0 + $1.1 * function($1.0) }
            })
    }

    /// The trace.
    public var trace: MeanEstimate { trace { $0 } }

    /// The square of the Frobenius norm: the sum of squares of all entries.
    public var squaredFrobeniusNorm: MeanEstimate { trace { $0 * $0 } }

    /// `log det(A + shift·I)`.
    ///
    /// Throws if an eigenvalue or a node is not above `−shift`: the determinant is then not that of a positive matrix.
    public func logDeterminant(shift: Double = 0) throws(SpectralError) -> MeanEstimate {
        let least = min(known.first ?? .infinity, rules.compactMap(\.nodes.first).min() ?? .infinity)
        guard least + shift > 0 else {
            throw SpectralError(
                description:
                    "log det(A + shift·I) needs all eigenvalues above \(-shift), and one is near \(least): "
                    + "expected a shift above \(-least)")
        }
        return trace { log($0 + shift) }
    }

    /// The share of eigenvalues below `−noise`; without a noise, below the rounding noise of the operator.
    public func negativeMass(noise: Double? = nil) -> MeanEstimate {
        let border = -(noise ?? self.noise)
        let exact = quantum * Double(known.count { $0 < border })
        return MeanEstimate(
            rules.map { rule in
                exact + share * zip(rule.nodes, rule.weights).reduce(0) { $0 + ($1.0 < border ? $1.1 : 0) }
            })
    }

    /// The interval of the share of eigenvalues below `-noise`: of the probes by Student's t, and of the quadrature by the bounds of
    /// Chebyshev, Markov and Stieltjes, as nodes beside the border stand for eigenvalues on both sides of it. Nil for a single
    /// probe.
    public func negativeMassInterval(
        noise: Double, confidence: Double = 0.95
    ) -> (lower: Double, upper: Double)? {
        let estimate = negativeMass(noise: noise)
        guard estimate.count > 1 else { return nil }
        let probes = estimate.interval(confidence: confidence), reach = (probes.upper - probes.lower) / 2
        let bounds = distributionBounds(at: -noise)
        return (
            max(0, min(probes.lower, bounds.lower - reach)), min(1, max(probes.upper, bounds.upper + reach))
        )
    }

    /// How far an eigenvalue must be from zero for the quadrature to tell its sign: the widest gap that a probe's nodes leave
    /// around zero. All that lies in the gap is in the weight of its two nodes, whose signs are an accident.
    public var resolutionAtZero: Double {
        rules.reduce(noise) { widest, rule in
            guard !rule.isExact, let above = rule.nodes.firstIndex(where: { $0 >= 0 }), above > 0 else {
                return widest
            }
            return max(widest, rule.nodes[above] - rule.nodes[above - 1])
        }
    }

    /// The negative part of the sum of sizes, `Σ_{λ<0} |λ| / Σ |λ|`: eigenvalues near zero, whose signs nothing tells, have no
    /// weight in it. A mean of ratios, one per probe, with a bias of the order of the squared error.
    public var negativeShare: MeanEstimate {
        let rest = Double(dimension - known.count)
        func sum(_ rule: QuadratureRule, _ size: (Double) -> Double) -> Double {
            known.reduce(0) { $0 + size($1) }
                + rest * zip(rule.nodes, rule.weights).reduce(0) { $0 + $1.1 * size($1.0) }
        }
        return MeanEstimate(
            rules.map { rule in
                let all = sum(rule, abs)
                return all > 0 ? sum(rule) { max(0, -$0) } / all : 0
            })
    }
}
