/// What one probe tells of the spectrum: a Gauss rule whose nodes and weights reproduce `vᵀAᵏv` for all `k < 2m`
/// after m Lanczos steps from the unit vector v (Golub and Meurant 1994).
public struct QuadratureRule: Sendable, Codable, Equatable {
    /// Ritz values, ascending.
    public let nodes: [Double]
    /// Their weights; they sum to 1.
    public let weights: [Double]
    /// Residual bound of each node; empty if unknown.
    public let bounds: [Double]
    /// Diagonal of `T`, and its off-diagonal with the coupling to the next vector last; empty if unknown.
    public let diagonal: [Double], offDiagonal: [Double]

    /// The rule of a factorisation; `offDiagonal` has as many elements as `diagonal`, the last one zero if the rule
    /// is exact.
    public init(diagonal: [Double], offDiagonal: [Double]) {
        precondition(diagonal.count == offDiagonal.count, "a coupling for every row")
        let (nodes, first, last) = tridiagonalRule(
            diagonal: diagonal, offDiagonal: Array(offDiagonal.dropLast()))
        let total = first.reduce(0) { $0 + $1 * $1 }
        self.nodes = nodes
        weights = first.map { $0 * $0 / total }
        bounds = last.map { abs($0) * (offDiagonal.last ?? 0) }
        (self.diagonal, self.offDiagonal) = (diagonal, offDiagonal)
    }

    /// A rule from its points, which need not be in order; weights are divided by their sum.
    public init(nodes: [Double], weights: [Double]) {
        precondition(nodes.count == weights.count, "\(nodes.count) nodes, \(weights.count) weights")
        let total = weights.reduce(0, +)
        let order = nodes.indices.sorted { nodes[$0] < nodes[$1] }
        self.nodes = order.map { nodes[$0] }
        self.weights = order.map { weights[$0] / total }
        (bounds, diagonal, offDiagonal) = ([], [], [])
    }

    /// Whether the factorisation ended in an invariant subspace, so that the rule is the probe's whole measure.
    public var isExact: Bool { offDiagonal.last == 0 }

    /// The rule after the first `steps` steps; nil if `T` is not known or shorter.
    public func section(_ steps: Int) -> QuadratureRule? {
        guard steps > 0, steps <= diagonal.count else { return nil }
        return QuadratureRule(
            diagonal: Array(diagonal.prefix(steps)), offDiagonal: Array(offDiagonal.prefix(steps)))
    }

    /// The largest row of `|T|`, or the largest node: a lower estimate of `‖A‖` that scales with it.
    var norm: Double {
        let m = diagonal.count
        let rows = diagonal.indices.map { i in
            abs(diagonal[i]) + (i > 0 ? abs(offDiagonal[i - 1]) : 0) + (i < m - 1 ? abs(offDiagonal[i]) : 0)
        }
        return max(rows.max() ?? 0, nodes.reduce(0) { max($0, abs($1)) })
    }
}
