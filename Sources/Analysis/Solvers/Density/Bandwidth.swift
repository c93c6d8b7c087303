import Foundation

/// The width to which points of a density are broadened, and where it comes from.
public struct Bandwidth: Sendable, Codable, Equatable {
    /// How it was chosen.
    public enum Origin: String, Sendable, Codable {
        /// By the caller.
        case given
        /// It minimises the estimated squared error of the density of probes that were left out.
        case crossValidation
        /// It is what the quadrature resolves: probes would allow less, or there is only one.
        case resolution
    }
    /// Standard deviation of the normal distribution.
    public let value: Double
    /// How it was chosen.
    public let origin: Origin
    /// The least width at which neighbouring nodes merge: half the distance of neighbours, the median by mass.
    public let resolution: Double

    /// Chooses a width for the points, by least-squares cross-validation that leaves out one probe at a time (Rudemo 1982;
    /// Bowman 1984): points of one probe repel each other, so that they say nothing about their own density.
    init(for points: WeightedPoints, given: Double?, floor: Double) {
        resolution = max(Self.resolution(points), floor)
        if let given {
            precondition(given > 0, "a bandwidth of \(given)")
            (value, origin) = (given, .given)
            return
        }
        let criterion = CrossValidation(points)
        var (best, least) = (resolution, Double.infinity)
        if points.probes.count(where: { !$0.isEmpty }) > 1 {
            let ratio = pow(2, 0.125), most = max(resolution, criterion.deviation)
            var width = resolution
            while width <= most * ratio {
                let value = criterion.value(width)
                if value < least { (best, least) = (width, value) }
                width *= ratio
            }
        }
        (value, origin) = (best, best > resolution ? .crossValidation : .resolution)
    }

    private static func resolution(_ points: WeightedPoints) -> Double {
        var gaps: [WeightedPoints.Point] = []
        for probe in points.probes where probe.count > 1 {
            for (index, point) in probe.enumerated() {
                let low = max(0, index - 1), high = min(probe.count - 1, index + 1)
                let gap = (probe[high].place - probe[low].place) / Double(high - low)
                gaps.append(WeightedPoints.Point(place: gap, mass: point.mass))
            }
        }
        let half = gaps.reduce(0) { $0 + $1.mass } / 2
        var sum = 0.0
        for gap in gaps.sorted(by: { $0.place < $1.place }) {
            sum += gap.mass
            if sum >= half { return gap.place / 2 }
        }
        return 0
    }
}
