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
}
