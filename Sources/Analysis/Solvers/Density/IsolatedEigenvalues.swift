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
    /// Finds isolated eigenvalues: known ones beyond all nodes, then extreme nodes that every probe found, with residual bounds
    /// far below the distance to the next node.
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

    /// What smooth curves leave out: known eigenvalues beyond all nodes, and isolated nodes.
    var pointsApart: IsolatedEigenvalues {
        let isolated = isolatedEigenvalues(), outside = knownOutside
        func values(_ known: [Double], _ found: [IsolatedEigenvalues.Value]) -> [IsolatedEigenvalues.Value] {
            known.map { IsolatedEigenvalues.Value(value: $0, mass: quantum) } + found.dropFirst(known.count)
        }
        return IsolatedEigenvalues(
            above: values(outside.above, isolated.above), below: values(outside.below, isolated.below),
            bulkEdges: isolated.bulkEdges)
    }

    /// Known eigenvalues above all nodes, largest first, and those below them, smallest first.
    var knownOutside: (above: [Double], below: [Double]) {
        guard let low = rules.compactMap(\.nodes.first).min(), let high = rules.compactMap(\.nodes.last).max()
        else { return (known.reversed(), []) }
        return (known.reversed().filter { $0 > high }, known.filter { $0 < low })
    }

    /// What is left without some points apart, known ones first: nodes, and known eigenvalues with a mass of 1/n each.
    func bulk(without apart: IsolatedEigenvalues) -> WeightedPoints {
        let outside = knownOutside
        let (high, low) = (apart.above.count, apart.below.count)
        let inside = known.dropFirst(min(low, outside.below.count)).dropLast(min(high, outside.above.count))
        return WeightedPoints(
            probes: rules.map {
                Array(
                    Self.points($0, share).dropFirst(max(0, low - outside.below.count))
                        .dropLast(max(0, high - outside.above.count)))
            }, exact: inside.map { WeightedPoints.Point(place: $0, mass: quantum) })
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
    /// Known values, outermost first, and how many of them lie beyond all nodes.
    private let known: [Double], outside: Int

    init(_ density: SpectralDensity, sign: Double) {
        noise = density.noise
        probes = density.rules.map { rule in
            let points = rule.nodes.indices.map { i in
                (
                    node: sign * rule.nodes[i], weight: rule.weights[i] * density.share,
                    bound: rule.bounds.isEmpty ? .infinity : rule.bounds[i]
                )
            }
            return sign > 0 ? points.reversed() : points
        }
        known = density.known.map { sign * $0 }.sorted(by: >)
        let found = density.knownOutside
        outside = (sign > 0 ? found.above : found.below).count
        candidates =
            known.prefix(outside).map { Candidate(value: $0, mass: density.quantum) }
            + Self.common(probes, noise)
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
        let exact = known.dropFirst(min(count, outside))
        return probes.map { probe in
            (exact + probe.dropFirst(max(0, count - outside)).map(\.node)).sorted(by: >)
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
