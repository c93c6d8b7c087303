import Foundation

/// A distribution function: the share of eigenvalues below each of some places.
public struct SpectralDistribution: Sendable, Codable, Equatable {
    /// The places, and the shares below them.
    public let places: [Double], shares: [Double]
    /// The band that holds the mean over all probes; empty if there is a single probe.
    public let lower: [Double], upper: [Double]
}

/// How much a distribution function changes with the last part of the steps.
public struct QuadratureTruncation: Sendable, Codable, Equatable {
    /// The largest change of the smoothed distribution function, and where it is.
    public let largestChange: Double, place: Double
    /// Steps of the longest rule, and of its leading section.
    public let steps: Int, section: Int
}

extension SpectralDensity {
    /// The share of eigenvalues below each place, known ones and isolated ones included, every eigenvalue broadened to the
    /// given width. Without one the function has steps, and half of an eigenvalue lies below its own place.
    public func distribution(
        at places: [Double], bandwidth: Double = 0, confidence: Double = 0.95
    ) -> SpectralDistribution {
        let points = allPoints
        let student = StudentBand(count: rules.count, confidence: confidence)
        let estimates = places.map { student.estimate(points.massBelow($0, width: bandwidth)) }
        let isBanded = rules.count > 1
        return SpectralDistribution(
            places: places, shares: estimates.map(\.mean),
            lower: isBanded ? estimates.map { max(0, $0.mean - $0.reach) } : [],
            upper: isBanded ? estimates.map { min(1, $0.mean + $0.reach) } : [])
    }

    /// The largest change of the smoothed distribution function between all steps and the leading share `section` of them;
    /// nil where the coefficients are not known. Rules that are exact do not change.
    public func truncation(bandwidth: Double? = nil, section: Double = 0.75) -> QuadratureTruncation? {
        precondition(section > 0 && section < 1, "a section of \(section)")
        guard !rules.isEmpty, rules.allSatisfy({ !$0.diagonal.isEmpty }) else { return nil }
        let points = allPoints
        let width =
            bandwidth
            ?? Bandwidth(for: bulk(without: pointsApart), given: nil, floor: resolutionFloor).value
        func length(_ rule: QuadratureRule) -> Int {
            max(1, Int((section * Double(rule.diagonal.count)).rounded()))
        }
        // One step has no leading section.
        guard rules.allSatisfy({ $0.isExact || length($0) < $0.diagonal.count }) else { return nil }
        let shorter = SpectralDensity(
            rules: rules.map { $0.isExact ? $0 : $0.section(length($0)) ?? $0 }, dimension: dimension,
            known: known, noise: noise
        ).allPoints
        let steps = rules.map(\.diagonal.count).max() ?? 0
        var (largest, place) = (0.0, points.range?.lowerBound ?? 0)
        for candidate in points.places(512) {
            let change =
                zip(
                    points.massBelow(candidate, width: width), shorter.massBelow(candidate, width: width)
                )
                .reduce(0) { $0 + $1.0 - $1.1 } / Double(rules.count)
            if abs(change) > largest { (largest, place) = (abs(change), candidate) }
        }
        return QuadratureTruncation(
            largestChange: largest, place: place, steps: steps,
            section: rules.map { $0.isExact ? $0.diagonal.count : length($0) }.max() ?? 0)
    }

    /// Between what limits the rules leave the share of eigenvalues below a place, whatever the spectrum between the nodes
    /// (Chebyshev, Markov and Stieltjes): means over probes. It says how coarse the quadrature is, not how few the probes.
    public func distributionBounds(at place: Double) -> (lower: Double, upper: Double) {
        let exact = quantum * Double(known.count { $0 < place })
        var (lower, upper) = (0.0, 0.0)
        for rule in rules {
            // Of n nodes below, the last may lie above in truth, and the next one below.
            let count = rule.nodes.count { $0 < place }, slack = rule.isExact ? 0 : 1
            lower += rule.weights.prefix(max(0, count - slack)).reduce(0, +)
            upper += min(1, rule.weights.prefix(count + slack).reduce(0, +))
        }
        let scale = share / Double(max(1, rules.count))
        return (exact + lower * scale, exact + upper * scale)
    }

    /// Nodes and known eigenvalues.
    private var allPoints: WeightedPoints {
        bulk(without: IsolatedEigenvalues(above: [], below: [], bulkEdges: []))
    }
}

extension WeightedPoints {
    /// A grid over the range, and as many quantiles of the points: where masses are.
    fileprivate func places(_ count: Int) -> [Double] {
        guard let range else { return [] }
        let sorted = (probes.flatMap { $0 } + exact).map(\.place).sorted()
        let length = range.upperBound - range.lowerBound
        let even = (0..<count).map { range.lowerBound + length * (Double($0) + 0.5) / Double(count) }
        return even + stride(from: 0, to: sorted.count, by: max(1, sorted.count / count)).map { sorted[$0] }
    }
}
