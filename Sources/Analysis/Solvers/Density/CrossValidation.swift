import Foundation

/// The estimated integrated squared error of a smoothed density, less a constant:
/// `∫f² − (2/P)·Σₚ ∫f₋ₚ dμₚ`, where `f₋ₚ` is the density without probe p.
struct CrossValidation {
    private let probes: [[WeightedPoints.Point]]
    private let pooled: [WeightedPoints.Point]

    init(_ points: WeightedPoints) {
        probes = points.probes
        pooled = points.probes.flatMap { $0 }.sorted { $0.place < $1.place }
    }

    /// The standard deviation of all points.
    var deviation: Double {
        let mass = pooled.reduce(0) { $0 + $1.mass }
        let mean = pooled.reduce(0) { $0 + $1.mass * $1.place } / mass
        let squares = pooled.reduce(0) { $0 + $1.mass * ($1.place - mean) * ($1.place - mean) }
        return mass > 0 ? (squares / mass).squareRoot() : 0
    }

    /// The criterion at a width.
    func value(_ width: Double) -> Double {
        let count = Double(probes.count)
        // Points much closer than the width act as one: the sums stay short where points are many.
        let merged = Self.merged(pooled, within: width / 16)
        let own = probes.reduce(0) { $0 + Self.overlap($1, width) }
        let squared = Self.overlap(merged, width * 2.0.squareRoot()) / (count * count)
        return squared - 2 * (Self.overlap(merged, width) - own) / (count * (count - 1))
    }

    /// `Σᵢⱼ mᵢ·mⱼ·φ(xᵢ − xⱼ)` for the normal density φ.
    private static func overlap(_ points: [WeightedPoints.Point], _ width: Double) -> Double {
        var sum = 0.0
        for i in points.indices {
            sum += points[i].mass * points[i].mass / 2
            var j = i + 1
            while j < points.count {
                let z = (points[j].place - points[i].place) / width
                if z > 7 { break }
                sum += points[i].mass * points[j].mass * exp(-z * z / 2)
                j += 1
            }
        }
        return 2 * sum / (width * (2 * Double.pi).squareRoot())
    }

    /// Neighbours within a distance as one point in their middle.
    private static func merged(
        _ points: [WeightedPoints.Point], within distance: Double
    ) -> [WeightedPoints.Point] {
        var result: [WeightedPoints.Point] = []
        var start = -Double.infinity
        for point in points {
            guard point.place - start <= distance, let last = result.last, last.mass + point.mass > 0 else {
                (start, _) = (point.place, result.append(point))
                continue
            }
            let mass = last.mass + point.mass
            let place = (last.mass * last.place + point.mass * point.place) / mass
            result[result.count - 1] = WeightedPoints.Point(place: place, mass: mass)
        }
        return result
    }
}
