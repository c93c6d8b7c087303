import Planner

/// A spectral density by stochastic Lanczos quadrature (Golub and Meurant 1994; Ghorbani et al. 2019): the rules of
/// independent probes, and eigenvalues that are known.
///
/// A probe is a unit vector, so the weights of its rule sum to 1. A Gaussian vector divided by its norm is uniform on the
/// sphere, and one of random signs has entries ±n^(-½): in both cases `vᵀf(A)v` is an unbiased sample of `tr f(A)/n`, no
/// ratio of two estimates. (Signs in the complement of known vectors have a bias of order 1/n.) Statistics are means over
/// probes, with intervals by Student's t of as many degrees of freedom as probes less one.
public struct SpectralDensity: Sendable, Codable, Equatable {
    /// One rule per probe, each for the complement of what is known.
    public let rules: [QuadratureRule]
    /// Length of the operator's vectors; 0 if it is not known, which nothing needs but traces and known eigenvalues.
    public let dimension: Int
    /// Eigenvalues that count exactly, each with a share 1/n of the mass.
    public let known: [Double]
    /// Rounding noise of eigenvalues: 16 ε‖A‖.
    public let noise: Double

    /// A density from its parts; without a noise, that of float64.
    public init(rules: [QuadratureRule], dimension: Int, known: [Double] = [], noise: Double? = nil) {
        precondition(known.isEmpty || known.count <= dimension, "more known eigenvalues than dimensions")
        (self.rules, self.dimension, self.known) = (rules, dimension, known.sorted())
        let norm = max(rules.map(\.norm).max() ?? 0, known.reduce(0) { max($0, abs($1)) })
        self.noise = noise ?? 16 * Precision.float64.epsilon * norm
    }

    /// A density from the points of all probes, whose weights sum to 1.
    public init(nodes: [Double], weights: [Double], probes: [Range<Int>], dimension: Int = 0) {
        self.init(
            rules: probes.map { QuadratureRule(nodes: Array(nodes[$0]), weights: Array(weights[$0])) },
            dimension: dimension)
    }

    /// Ritz values of all probes, one probe after the other.
    public var nodes: [Double] { rules.flatMap(\.nodes) }
    /// Their weights; together with 1/n for each known eigenvalue they sum to 1.
    public var weights: [Double] {
        rules.flatMap { $0.weights.map { $0 * share / Double(rules.count) } }
    }
    /// The points of each probe, as ranges of `nodes`.
    public var probes: [Range<Int>] {
        var ranges: [Range<Int>] = []
        for rule in rules {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<start + rule.nodes.count)
        }
        return ranges
    }

    /// The share of the mass that is not known exactly.
    var share: Double {
        known.isEmpty ? 1 : Double(dimension - known.count) / Double(dimension)
    }
    /// The mass of a known eigenvalue.
    var quantum: Double { dimension > 0 ? 1 / Double(dimension) : 0 }
}

/// A statistic that the spectrum does not allow.
public struct SpectralError: Error, CustomStringConvertible, Sendable {
    /// What was found, and what was expected.
    public let description: String
}
