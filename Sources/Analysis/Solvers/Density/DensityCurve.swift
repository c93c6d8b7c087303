import Foundation

/// A smoothed density on a grid of equal cells: each value is the mean over its cell, so that sums over cells times their
/// width are exact masses however coarse the grid is.
public struct DensityCurve: Sendable, Codable, Equatable {
    /// Middles of the cells, ascending, and their width.
    public let grid: [Double], cell: Double
    /// Mass per unit of the axis.
    public let density: [Double]
    /// The band that holds the mean over all probes with the confidence asked for; empty if there is a single probe.
    public let lower: [Double], upper: [Double]
    /// Masses left and right of the grid.
    public let massBelow: Double, massAbove: Double
    /// The width of the smoothing, on the axis.
    public let bandwidth: Bandwidth
    /// Eigenvalues that stand apart (`SpectralDensity.pointsApart`): places on the axis and masses. They are not part of
    /// `density`.
    public let points: [IsolatedEigenvalues.Value]

    /// All mass of the curve: `massBelow` and `massAbove` included, points left out.
    public var mass: Double { density.reduce(0, +) * cell + massBelow + massAbove }
}

/// Settings of smoothed densities.
public struct DensityCurveOptions: Sendable {
    /// Cells of the grid.
    public var cells: Int
    /// The width of the smoothing; nil: chosen from the data.
    public var bandwidth: Double?
    /// Confidence of the bands.
    public var confidence: Double

    /// 500 cells, a bandwidth from the data, bands of 95 %.
    public init(cells: Int = 500, bandwidth: Double? = nil, confidence: Double = 0.95) {
        precondition(
            cells > 0 && confidence > 0 && confidence < 1, "\(cells) cells, confidence \(confidence)")
        (self.cells, self.bandwidth, self.confidence) = (cells, bandwidth, confidence)
    }
}

extension SpectralDensity {
    /// The density of the bulk over `range`; without a range, over all nodes and six widths beyond them. Eigenvalues that
    /// stand apart are points, and no bumps.
    public func density(
        over range: ClosedRange<Double>? = nil, _ options: DensityCurveOptions = DensityCurveOptions()
    ) -> DensityCurve {
        let isolated = pointsApart
        return bulk(without: isolated).curve(
            over: range, options, floor: resolutionFloor, points: isolated.above + isolated.below)
    }

    /// A width below which two eigenvalues are one: rounding noise, or something positive if that is zero.
    var resolutionFloor: Double {
        let norm = max(rules.map(\.norm).max() ?? 0, known.reduce(0) { max($0, abs($1)) })
        return noise > 0 ? noise : norm > 0 ? norm * 1e-15 : 1
    }
}

extension WeightedPoints {
    /// The curve of these points.
    func curve(
        over range: ClosedRange<Double>?, _ options: DensityCurveOptions, floor: Double,
        points: [IsolatedEigenvalues.Value]
    ) -> DensityCurve {
        let bandwidth = Bandwidth(for: self, given: options.bandwidth, floor: floor)
        let width = bandwidth.value, all = self.range ?? 0...0
        // Wide enough for cells that differ, whatever the bandwidth.
        let reach = max(6 * width, 1e-9 * max(abs(all.lowerBound), abs(all.upperBound)))
        let range = range ?? (all.lowerBound - reach)...(all.upperBound + reach)
        let cell = (range.upperBound - range.lowerBound) / Double(options.cells)
        precondition(cell > 0, "an empty range \(range)")
        let edges = (0...options.cells).map { range.lowerBound + cell * Double($0) }
        let each = cells(edges, width: width)
        let student = StudentBand(count: each.count, confidence: options.confidence)
        let estimates = (0..<options.cells).map { cell in student.estimate(each.map { $0.cells[cell] }) }
        let isBanded = each.count > 1
        return DensityCurve(
            grid: (0..<options.cells).map { edges[$0] + cell / 2 }, cell: cell,
            density: estimates.map { $0.mean / cell },
            lower: isBanded ? estimates.map { max(0, $0.mean - $0.reach) / cell } : [],
            upper: isBanded ? estimates.map { ($0.mean + $0.reach) / cell } : [],
            massBelow: MeanEstimate(each.map(\.below)).mean, massAbove: MeanEstimate(each.map(\.above)).mean,
            bandwidth: bandwidth, points: points)
    }
}

/// Student intervals of many means over the same number of samples.
struct StudentBand {
    private let factor: Double

    init(count: Int, confidence: Double) {
        factor =
            count > 1
            ? StudentT(degreesOfFreedom: Double(count - 1)).intervalFactor(confidence: confidence) : .nan
    }

    /// A mean and the half length of its interval.
    func estimate(_ samples: [Double]) -> (mean: Double, reach: Double) {
        let estimate = MeanEstimate(samples)
        return (estimate.mean, estimate.standardError * factor)
    }
}
