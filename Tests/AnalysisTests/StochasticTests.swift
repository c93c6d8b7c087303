import Analysis
import Backend
import Foundation
import TestSupport
import Testing

extension OnDevices {
    /// Estimates from random vectors, and their error bars.
    @Suite struct StochasticTests {
        @Test(arguments: TestDevices.targets)
        func traceWithinItsError(_ target: Target) throws {
            let n = 50, elements = symmetric(50, seed: 5)
            let trace = (0..<n).reduce(0) { $0 + elements[$1 * (n + 1)] }
            let matrix = try target.matrix(elements)
            var inside = 0
            for seed in 0..<20 as Range<UInt64> {
                let estimate = try TraceEstimate.hutchinson(matrix, probes: 60, seed: seed)
                #expect(estimate.standardError > 0)
                #expect(abs(estimate.mean - trace) < 5 * estimate.standardError, "seed \(seed)")
                inside += abs(estimate.mean - trace) < estimate.standardError ? 1 : 0
            }
            // Two thirds are expected inside one standard error.
            #expect((8...19).contains(inside), "\(inside) of 20")
            // Var ⟨z, A·z⟩ = 2·(‖A‖² − Σ aᵢᵢ²) for random signs.
            let diagonal = (0..<n).reduce(0) { $0 + elements[$1 * (n + 1)] * elements[$1 * (n + 1)] }
            let variance = 2 * (dot(elements, elements) - diagonal)
            let error = try TraceEstimate.hutchinson(matrix, probes: 400, seed: 1).standardError
            #expect(abs(error / (variance / 400).squareRoot() - 1) < 0.15)
        }

        @Test(arguments: TestDevices.targets)
        func noVarianceForDiagonalMatrices(_ target: Target) throws {
            let estimate = try TraceEstimate.hutchinson(
                target.diagonal((1...40).map { Double($0) }), probes: 5, seed: 2)
            #expect(estimate.mean == 820)
            #expect(estimate.standardError == 0)
        }

        /// With as many steps as dimensions, each probe's points have the exact moments of its vector; their mean
        /// over probes approaches trace/n and ‖A‖²/n.
        @Test(arguments: TestDevices.targets)
        func momentsOfTheDensity(_ target: Target) throws {
            let n = 30, elements = symmetric(30, seed: 6)
            let density = try SpectralDensity.estimate(
                target.matrix(elements), steps: 30, probes: 200, seed: 3)
            #expect(abs(density.weights.reduce(0, +) - 1) < 1e-12)
            for power in 1...2 {
                let samples = density.probes.map { probe in
                    probe.reduce(0) { $0 + 200 * density.weights[$1] * pow(density.nodes[$1], Double(power)) }
                }
                let estimate = MeanEstimate(samples)
                let exact =
                    power == 1
                    ? (0..<n).reduce(0) { $0 + elements[$1 * (n + 1)] } / Double(n)
                    : dot(elements, elements) / Double(n)
                #expect(abs(estimate.mean - exact) < 4 * estimate.standardError, "moment \(power)")
                #expect(estimate.standardError < 0.2 * dot(elements, elements) / Double(n))
            }
        }

        /// The nodes at full length are the eigenvalues.
        @Test(arguments: TestDevices.targets)
        func nodesAtFullLength(_ target: Target) throws {
            let elements = symmetric(12, seed: 7)
            let density = try SpectralDensity.estimate(target.matrix(elements), steps: 50, probes: 1, seed: 0)
            let exact = try HostLinearAlgebra.symmetricEigenvalues(elements, 12)
            #expect(mismatch(density.nodes, exact, tolerance: target.tolerance(1e-5, 1e-12)) == nil)
        }

        @Test func meansAndErrors() {
            let estimate = MeanEstimate([1, 2, 3, 6])
            #expect(estimate.mean == 3)
            #expect(abs(estimate.standardError - (14.0 / 3 / 4).squareRoot()) < 1e-15)
            #expect(MeanEstimate([5]).standardError.isNaN)
        }
    }
}
