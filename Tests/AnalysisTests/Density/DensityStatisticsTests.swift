import Backend
import Data
import Foundation
import TestSupport
import Testing

@testable import Analysis

/// Statistics over probes, on the host alone.
@Suite struct DensityStatisticsTests {
    private let values = ladder(300, -0.1, 1)

    /// Everything is on the curve or beside it, however coarse or narrow the grid.
    @Test func massesAreExact() {
        let density = exactDensity(values, probes: 5, seed: 1)
        for cells in [7, 500] {
            let curve = density.density(DensityCurveOptions(cells: cells, bandwidth: 0.02))
            #expect(abs(curve.mass - 1) < 1e-13 && curve.massBelow < 1e-8 && curve.massAbove < 1e-8)
            let narrow = density.density(over: 0.2...0.7, DensityCurveOptions(cells: cells, bandwidth: 0.02))
            #expect(abs(narrow.mass - 1) < 1e-13)
            let ends = density.distribution(at: [0.2, 0.7], bandwidth: 0.02).shares
            #expect(abs(narrow.massBelow - ends[0]) < 1e-14 && abs(narrow.massAbove - 1 + ends[1]) < 1e-13)
            #expect(zip(curve.lower, curve.density).allSatisfy { $0 >= 0 && $0 <= $1 })
            #expect(zip(curve.upper, curve.density).allSatisfy { $0 >= $1 })
        }
        let single = exactDensity(values, probes: 1, seed: 1).density()
        #expect(single.lower.isEmpty && single.upper.isEmpty)
    }

    /// One point broadened is the normal density.
    @Test func aPointIsANormalDistribution() {
        let density = SpectralDensity(rules: [QuadratureRule(nodes: [2], weights: [5])], dimension: 9)
        let curve = density.density(over: 1...3, DensityCurveOptions(cells: 4000, bandwidth: 0.1))
        for (x, y) in zip(curve.grid, curve.density) {
            let z = (x - 2) / 0.1
            #expect(abs(y - exp(-z * z / 2) / (0.1 * (2 * Double.pi).squareRoot())) < 1e-5)
        }
        #expect(density.distribution(at: [1, 2, 3]).shares == [0, 0.5, 1])
    }

    @Test func logarithmicDensities() {
        let all =
            [0.0, 1e-30] + ladder(20, -4, -2).map { -pow(10, $0) } + ladder(40, -5, 1).map { pow(10, $0) }
        let density = SpectralDensity(
            rules: (1...3).map { k in
                QuadratureRule(nodes: all, weights: all.indices.map { Double(1 + ($0 * k) % 5) })
            }, dimension: 62)
        let curves = density.logarithmicDensity()
        let (negative, positive) = (curves.negative!, curves.positive!)
        #expect(negative.points.isEmpty && positive.points.isEmpty)
        #expect(abs(negative.mass - density.negativeMass().mean) < 1e-13)
        #expect(abs(negative.mass + positive.mass + curves.massAtZero - 1) < 1e-13)
        #expect(curves.massAtZero > 0.001 && curves.massAtZero < 0.1)
        #expect(negative.grid[0] < -4 && negative.grid.last! > -2.1 && negative.grid.last! < 0)
    }

    /// The criterion for two probes of one point each, in closed form.
    @Test func theCriterionOfCrossValidation() {
        let points = WeightedPoints(probes: [[.init(place: 0, mass: 1)], [.init(place: 0.3, mass: 1)]])
        func normal(_ x: Double, _ width: Double) -> Double {
            exp(-x * x / width / width / 2) / (width * (2 * Double.pi).squareRoot())
        }
        for width in [0.1, 0.3, 1] {
            let wide = width * 2.0.squareRoot()
            let exact = (normal(0, wide) + normal(0.3, wide)) / 2 - 2 * normal(0.3, width)
            #expect(abs(CrossValidation(points).value(width) - exact) < 1e-14 * normal(0, width))
        }
        // Points that act as one change the criterion little.
        let many = WeightedPoints(
            probes: (0..<4).map { p in
                ladder(400, 0, 1).map { .init(place: $0 + 0.0003 * Double(p), mass: 1) }
            })
        let merged = CrossValidation(many).value(0.3)
        let exact = many.probes.indices.reduce(0.0) { sum, p in
            many.probes.indices.reduce(sum) { sum, q in
                many.probes[p].reduce(sum) { sum, a in
                    many.probes[q].reduce(sum) { sum, b in
                        sum + normal(a.place - b.place, 0.3 * 2.0.squareRoot()) / 16
                            - (p == q ? 0 : normal(a.place - b.place, 0.3) / 6)
                    }
                }
            }
        }
        #expect(abs(merged / exact - 1) < 1e-3, "\(merged) \(exact)")
    }

    /// Independent normal points: the width that minimises the error is near 1.06 σ n^(-1/5) (Silverman 1986, 3.28).
    @Test func bandwidthsOfNormalPoints() {
        var widths: [Double] = []
        for seed in 0..<10 as Range<UInt64> {
            let probes = (0..<20).map { probe in
                var random = RandomStream(seed: seed, purpose: "points \(probe)")
                return random.normals(10).sorted().map { WeightedPoints.Point(place: 3 * $0, mass: 0.1) }
            }
            let chosen = Bandwidth(for: WeightedPoints(probes: probes), given: nil, floor: 0)
            widths.append(chosen.value / (1.06 * 3 * pow(200, -0.2)))
        }
        #expect(widths.sorted()[5] > 0.7 && widths.sorted()[5] < 1.3, "\(widths)")
    }

    @Test func whereABandwidthComesFrom() {
        let one = exactDensity(values, probes: 1, seed: 1).density().bandwidth
        #expect(one.origin == .resolution && abs(one.value - 1.1 / 300 / 2) < 1e-12)
        let given = exactDensity(values, probes: 3, seed: 1).density(DensityCurveOptions(bandwidth: 0.3))
            .bandwidth
        #expect(given.origin == .given && given.value == 0.3)
        // All probes have the same nodes, most of them far apart: only the bound from the quadrature broadens them.
        let apart = ladder(40).map { exp(20 * $0) }
        let atoms = exactDensity(apart, probes: 3, seed: 1).density().bandwidth
        #expect(atoms.origin == .resolution && atoms.value == atoms.resolution)
    }

    @Test func determinantsAndTraces() throws {
        let density = exactDensity(values, probes: 8, seed: 2, known: [5, 7])
        for (estimate, exact) in [
            (density.trace, values.reduce(12, +)),
            (density.squaredFrobeniusNorm, values.reduce(74) { $0 + $1 * $1 }),
            (try density.logDeterminant(shift: 0.5), (values + [5, 7]).reduce(0) { $0 + log($1 + 0.5) }),
        ] {
            #expect(abs(estimate.mean - exact) < 4 * estimate.standardError && estimate.count == 8)
            #expect(estimate.standardError < 0.1 * abs(exact))
        }
        let error = #expect(throws: SpectralError.self) { try density.logDeterminant(shift: 0.1) }
        #expect(error?.description.contains("shift") == true)
        #expect(throws: SpectralError.self) { try density.logDeterminant() }
    }

    /// What lies around zero has no sign that a quadrature could tell.
    @Test func negativeCurvature() {
        let one = SpectralDensity(
            nodes: [-2, -0.1, 0.3, 4], weights: [0.1, 0.4, 0.3, 0.2], probes: [0..<4], dimension: 10)
        #expect(abs(one.resolutionAtZero - 0.4) < 1e-15)
        #expect(abs(one.negativeMass(noise: one.resolutionAtZero).mean - 0.1) < 1e-15)
        #expect(abs(one.negativeShare.mean - (0.2 + 0.04) / (0.2 + 0.04 + 0.09 + 0.8)) < 1e-15)
        let positive = SpectralDensity(nodes: [1, 2], weights: [0.5, 0.5], probes: [0..<2], dimension: 10)
        #expect(positive.resolutionAtZero == positive.noise && positive.negativeShare.mean == 0)
        let known = SpectralDensity(rules: one.rules, dimension: 10, known: [-3, 5])
        let negative = 3 + 8 * 0.24, all = 8 + 8 * 1.13
        #expect(abs(known.negativeShare.mean - negative / all) < 1e-14)
    }

    @Test func negativeMasses() {
        let density = exactDensity(values, probes: 30, seed: 3, known: [-4, 5])
        let share = Double(values.count { $0 < 0 } + 1) / 302
        #expect(abs(density.negativeMass().mean - share) < 4 * density.negativeMass().standardError)
        #expect(abs(density.negativeMass(noise: 1).mean - 1.0 / 302) < 1e-15)
        #expect(density.negativeMass(noise: 5).mean == 0)
    }

    /// A leading section has fewer nodes; exact rules have no truncation.
    @Test func truncations() {
        // The Chebyshev polynomials: T of the arcsine law on [-1, 1], whose distribution function is known.
        func rule(_ steps: Int, exact: Bool = false) -> QuadratureRule {
            QuadratureRule(
                diagonal: [Double](repeating: 0, count: steps),
                offDiagonal: (0..<steps).map {
                    exact && $0 == steps - 1 ? 0 : $0 == 0 ? 0.5.squareRoot() : 0.5
                })
        }
        #expect(
            rule(20).nodes.enumerated().allSatisfy { abs($1 + cos((Double($0) + 0.5) * .pi / 20)) < 1e-13 })
        #expect(rule(20).weights.allSatisfy { abs($0 - 0.05) < 1e-13 })
        let coarse = SpectralDensity(rules: [rule(20)], dimension: 1000)
        let found = coarse.truncation(bandwidth: 0.01)!
        #expect(found.steps == 20 && found.section == 15)
        #expect(found.largestChange > 0.01 && found.largestChange < 0.07, "\(found)")
        let fine = SpectralDensity(rules: [rule(200)], dimension: 1000).truncation(bandwidth: 0.01)!
        #expect(fine.largestChange < 0.2 * found.largestChange, "\(fine)")
        let exact = SpectralDensity(rules: [rule(20, exact: true)], dimension: 20).truncation(
            bandwidth: 0.01)!
        #expect(exact.largestChange == 0)
        #expect(exactDensity(values, probes: 2, seed: 1).truncation() == nil)
    }

    /// A density outlives its process.
    @Test func densitiesAreKept() throws {
        let density = exactDensity(values, probes: 2, seed: 9, known: [3])
        #expect(try JSONDecoder().decode(SpectralDensity.self, from: bytes(density)) == density)
    }
}
