import Foundation

/// Eigenvalues that stand apart from the bulk of the spectrum: points, not part of a smooth density.
public struct IsolatedEigenvalues: Sendable, Codable, Equatable {
    /// One of them.
    public struct Value: Sendable, Codable, Equatable {
        /// The eigenvalue.
        public let value: Double
        /// Its share of the mass: 1/n if it is known; else the mean weight of its nodes, which estimates its multiplicity
        /// over n.
        public let mass: Double
    }
    /// Those above the bulk, largest first, and those below it, smallest first.
    public let above: [Value], below: [Value]
    /// The bulk's edges: its smallest and its largest node of any probe.
    public let bulkEdges: [Double]
}

extension SpectralDensity {
    /// Finds isolated eigenvalues: known ones or, if none are known, extreme nodes that every probe found, with residual
    /// bounds far below the distance to the next node.
    ///
    /// They stand apart if the gap between them and the bulk exceeds the spread of its edge: how far apart the edges of
    /// the probes lie, and how far the next q nodes reach into the bulk. With q = log₂(20 r) for r candidates, evenly
    /// dense independent eigenvalues leave such a gap in one spectrum of twenty; where density fades, as in the tails of a
    /// normal law, the outermost do so more often. All of one side hold a tenth of the mass at most.
    public func isolatedEigenvalues() -> IsolatedEigenvalues {
        let above = IsolatedSearch(self, sign: 1), below = IsolatedSearch(self, sign: -1)
        let top = above.found(), bottom = below.found()
        func values(_ found: ArraySlice<IsolatedSearch.Candidate>, _ sign: Double)
            -> [IsolatedEigenvalues.Value]
        {
            found.map { IsolatedEigenvalues.Value(value: sign * $0.value, mass: $0.mass) }
        }
        let edges = [below.edge(bottom.count).map { -$0 }, above.edge(top.count)].compactMap { $0 }
        return IsolatedEigenvalues(above: values(top, 1), below: values(bottom, -1), bulkEdges: edges)
    }

    /// What smooth curves leave out: known eigenvalues beyond all nodes or, where none are known, isolated ones.
    var pointsApart: IsolatedEigenvalues {
        if known.isEmpty { return isolatedEigenvalues() }
        let low = rules.compactMap(\.nodes.first).min() ?? .infinity
        let high = rules.compactMap(\.nodes.last).max() ?? low
        func values(_ found: [Double]) -> [IsolatedEigenvalues.Value] {
            found.map { IsolatedEigenvalues.Value(value: $0, mass: quantum) }
        }
        return IsolatedEigenvalues(
            above: values(known.reversed().filter { $0 > high }), below: values(known.filter { $0 < low }),
            bulkEdges: [low, high])
    }

    /// What is left without some points apart: nodes, and known eigenvalues with a mass of 1/n each.
    func bulk(without isolated: IsolatedEigenvalues) -> WeightedPoints {
        let (high, low) = (isolated.above.count, isolated.below.count)
        if known.isEmpty {
            return WeightedPoints(
                probes: rules.map { Array(Self.points($0, share).dropFirst(low).dropLast(high)) })
        }
        let inside = known.dropFirst(low).dropLast(high)
        return WeightedPoints(
            probes: rules.map { Self.points($0, share) },
            exact: inside.map { WeightedPoints.Point(place: $0, mass: quantum) })
    }

    private static func points(_ rule: QuadratureRule, _ share: Double) -> [WeightedPoints.Point] {
        zip(rule.nodes, rule.weights).map { WeightedPoints.Point(place: $0, mass: $1 * share) }
    }
}

/// The search on one side, in coordinates that grow outwards.
private struct IsolatedSearch {
    struct Candidate {
        var value: Double, mass: Double
    }
    /// Nodes and bounds of each probe, outermost first.
    private let probes: [[(node: Double, weight: Double, bound: Double)]]
    private let candidates: [Candidate]
    private let noise: Double
    private let areKnown: Bool

    init(_ density: SpectralDensity, sign: Double) {
        noise = density.noise
        areKnown = !density.known.isEmpty
        probes = density.rules.map { rule in
            let points = rule.nodes.indices.map { i in
                (
                    node: sign * rule.nodes[i], weight: rule.weights[i],
                    bound: rule.bounds.isEmpty ? .infinity : rule.bounds[i]
                )
            }
            return sign > 0 ? points.reversed() : points
        }
        if areKnown {
            candidates = density.known.map { Candidate(value: sign * $0, mass: density.quantum) }
                .sorted { $0.value > $1.value }
        } else {
            candidates = Self.common(probes, noise)
        }
    }

    /// Nodes that every probe found, from the outermost on.
    private static func common(
        _ probes: [[(node: Double, weight: Double, bound: Double)]], _ noise: Double
    ) -> [Candidate] {
        var found: [Candidate] = []
        while probes.allSatisfy({ $0.count > found.count + 1 }), !probes.isEmpty {
            let points = probes.map { $0[found.count] }
            let gap = probes.map { $0[found.count].node - $0[found.count + 1].node }.min()!
            let bound = points.map(\.bound).max()!
            let (low, high) = (points.map(\.node).min()!, points.map(\.node).max()!)
            guard bound <= max(gap / 100, noise), high - low <= 2 * bound + 4 * noise else { break }
            let count = Double(points.count)
            found.append(
                Candidate(
                    value: points.reduce(0) { $0 + $1.node } / count,
                    mass: points.reduce(0) { $0 + $1.weight } / count))
        }
        return found
    }

    /// What lies inwards of the first `count` candidates, for every probe, outermost first.
    private func rests(_ count: Int) -> [[Double]] {
        probes.map { probe in
            areKnown
                ? (candidates[count...].map(\.value) + probe.map(\.node)).sorted(by: >)
                : probe.dropFirst(count).map(\.node)
        }
    }

    /// The edge of the bulk beyond which the first `count` candidates lie.
    func edge(_ count: Int) -> Double? { rests(count).compactMap(\.first).max() }

    /// As many candidates as stand apart.
    func found() -> ArraySlice<Candidate> {
        let reach = Int(log2(20 * Double(max(1, candidates.count))).rounded(.up))
        var mass = 0.0
        let few = candidates.prefix {
            mass += $0.mass
            return mass <= 0.1
        }
        for count in stride(from: few.count, to: 0, by: -1) {
            let rests = rests(count)
            guard rests.allSatisfy({ !$0.isEmpty }), let edge = edge(count) else { continue }
            let edges = rests.map { $0[0] }
            let spans = rests.map { $0[0] - $0[min(reach, $0.count - 1)] }
            let spread = max(edge - edges.min()!, spans.reduce(0, +) / Double(spans.count), 4 * noise)
            if candidates[count - 1].value - edge > spread { return candidates[..<count] }
        }
        return []
    }
}
