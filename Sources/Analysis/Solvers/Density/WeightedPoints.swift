import Foundation

/// Masses on a line: for every probe its own points, and points that are known.
struct WeightedPoints {
    struct Point {
        var place: Double, mass: Double
    }
    /// Ascending in every probe.
    var probes: [[Point]]
    var exact: [Point] = []

    /// All points in another coordinate; those that have no image are left out.
    func mapped(_ image: (Double) -> Double?) -> WeightedPoints {
        func mapped(_ points: [Point]) -> [Point] {
            points.compactMap { point in image(point.place).map { Point(place: $0, mass: point.mass) } }
                .sorted { $0.place < $1.place }
        }
        return WeightedPoints(probes: probes.map(mapped), exact: mapped(exact))
    }

    /// First and last place; nil if there are no points.
    var range: ClosedRange<Double>? {
        let all = probes.flatMap { $0 } + exact
        guard let low = all.map(\.place).min(), let high = all.map(\.place).max() else { return nil }
        return low...high
    }

    /// The mass below `place` by each probe, known points included, every point broadened to a normal distribution of
    /// width `width`. Without a width, half of a point's mass lies below its own place.
    func massBelow(_ place: Double, width: Double) -> [Double] {
        func sum(_ points: [Point]) -> Double {
            points.reduce(0) { $0 + $1.mass * normalShare(place - $1.place, width) }
        }
        let exact = sum(exact)
        return probes.map { exact + sum($0) }
    }

    /// The masses in the cells between `edges`, then below the first and above the last, by each probe.
    func cells(_ edges: [Double], width: Double) -> [(cells: [Double], below: Double, above: Double)] {
        func masses(_ points: [Point]) -> (cells: [Double], below: Double, above: Double) {
            var cells = [Double](repeating: 0, count: edges.count - 1)
            var below = 0.0, above = 0.0
            let step = (edges.last! - edges[0]) / Double(cells.count)
            for point in points {
                below += point.mass * normalShare(edges[0] - point.place, width)
                above += point.mass * normalShare(point.place - edges.last!, width)
                // Farther than 9 widths there is nothing that float64 shows.
                func cell(_ place: Double) -> Int {
                    Int(min(Double(cells.count - 1), max(0, (place - edges[0]) / step)))
                }
                let first = cell(point.place - 9 * width), last = cell(point.place + 9 * width)
                var left = normalShare(edges[first] - point.place, width)
                for index in first...last {
                    let right = normalShare(edges[index + 1] - point.place, width)
                    cells[index] += point.mass * (right - left)
                    left = right
                }
            }
            return (cells, below, above)
        }
        let known = masses(exact)
        return probes.map { probe in
            let own = masses(probe)
            return (zip(own.cells, known.cells).map(+), own.below + known.below, own.above + known.above)
        }
    }
}

/// The share of a normal distribution of width `width` below `distance` from its middle.
func normalShare(_ distance: Double, _ width: Double) -> Double {
    if width == 0 { return distance > 0 ? 1 : distance < 0 ? 0 : 0.5 }
    return erfc(-distance / (width * 2.0.squareRoot())) / 2
}
