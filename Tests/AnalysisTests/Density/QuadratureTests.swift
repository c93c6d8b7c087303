import Backend
import Data
import Foundation
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Gauss rules from Lanczos steps.
    @Suite struct QuadratureTests {
        /// m steps give 2m moments, and no more.
        @Test(arguments: TestDevices.exactTargets)
        func momentsUpToTwiceTheSteps(_ target: Target) throws {
            let n = 60, steps = 5, values = ladder(n, 0.1, 2)
            let density = try SpectralDensity.estimate(
                DiagonalOperator(values, target), steps: steps, probes: 1, seed: 4)
            var random = RandomStream(seed: 4, purpose: "spectral probe 0")
            let squares = random.normals(n).map { $0 * $0 }, total = squares.reduce(0, +)
            func moment(_ points: [Double], _ weights: [Double], _ k: Int) -> Double {
                zip(points, weights).reduce(0) { $0 + $1.1 * pow($1.0, Double(k)) }
            }
            for k in 0...2 * steps {
                let exact = moment(values, squares, k) / total
                let error = abs(moment(density.nodes, density.weights, k) / exact - 1)
                if k < 2 * steps { #expect(error < 1e-12, "moment \(k): \(error)") }
                if k == 2 * steps { #expect(error > 1e-6, "moment \(k): \(error)") }
            }
        }

        /// A thousand steps in 400 dimensions find every eigenvalue once, and end.
        @Test(arguments: TestDevices.targets)
        func noEigenvalueIsRepeated(_ target: Target) throws {
            let values = ladder(400), matrix = try DiagonalOperator(values, target)
            let density = try SpectralDensity.estimate(matrix, steps: 1000, probes: 1, seed: 1)
            #expect(matrix.count <= 400)
            #expect(density.rules[0].isExact)
            #expect(mismatch(density.nodes, values, tolerance: target.tolerance(2e-6, 1e-13)) == nil)
            // The whole measure of the probe.
            let exact = exactDensity(values, probes: 1, seed: 1)
            let tolerance = target.tolerance(1e-6, 1e-13)
            #expect(mismatch(density.weights, exact.weights, tolerance: tolerance) == nil)
        }

        /// Two rows of eigenvectors by QL are those of LAPACK, also where couplings vanish.
        @Test func rulesOfTridiagonalMatrices() throws {
            for (n, isSplit) in [(1, false), (2, false), (40, false), (41, true)] {
                var random = TestRandom(seed: UInt64(n))
                let diagonal = random.values(n)
                var coupling = random.values(n - 1)
                for i in coupling.indices where isSplit && i % 7 == 3 { coupling[i] = 0 }
                let (nodes, first, last) = tridiagonalRule(diagonal: diagonal, offDiagonal: coupling)
                let (values, vectors) = try HostLinearAlgebra.tridiagonalEigen(
                    diagonal: diagonal, offDiagonal: coupling)
                #expect(mismatch(nodes, values, tolerance: 1e-14) == nil)
                for k in 0..<n {
                    #expect(abs(abs(first[k]) - abs(vectors[k * n])) < 1e-12)
                    #expect(abs(abs(last[k]) - abs(vectors[k * n + n - 1])) < 1e-12)
                }
            }
        }

        /// Signs on a diagonal operator have no variance.
        @Test(arguments: TestDevices.targets)
        func signsHaveEqualWeights(_ target: Target) throws {
            let density = try SpectralDensity.estimate(
                DiagonalOperator(ladder(30), target), steps: 30, probes: 2, seed: 1,
                options: DensityOptions(probe: .rademacher))
            let tolerance = target.tolerance(1e-5, 1e-12)
            #expect(
                mismatch(
                    density.weights.map { $0 * 60 }, [Double](repeating: 1, count: 60), tolerance: tolerance)
                    == nil)
            #expect(density.trace.standardError < tolerance)
        }

        /// Limits hold for the measure of the probe, whose steps between nodes the rule cannot see.
        @Test(arguments: TestDevices.exactTargets)
        func limitsHoldTheDistribution(_ target: Target) throws {
            let values = ladder(200, -1, 1).map { $0 * $0 * $0 }
            let density = try SpectralDensity.estimate(
                DiagonalOperator(values, target), steps: 12, probes: 1, seed: 8)
            let exact = exactDensity(values, probes: 1, seed: 8)
            var widest = 0.0
            for place in ladder(97, -1.1, 1.1) {
                let truth = exact.distribution(at: [place]).shares[0]
                let (lower, upper) = density.distributionBounds(at: place)
                #expect(
                    lower <= truth + 1e-12 && truth <= upper + 1e-12, "\(place): \(lower) \(truth) \(upper)")
                widest = max(widest, upper - lower)
            }
            #expect(widest < 0.6 && widest > 0.05, "\(widest)")
        }

        /// 2,000 eigenvalues from 10 probes of 90 steps.
        @Test(arguments: TestDevices.targets)
        func theDistributionOfManyEigenvalues(_ target: Target) throws {
            let values = ladder(2000).map { 4 * $0 * $0 - 0.5 }
            let density = try SpectralDensity.estimate(
                DiagonalOperator(values, target), steps: 90, probes: 10, seed: 1)
            let width = density.density().bandwidth.value
            let truth = SpectralDensity(
                rules: [QuadratureRule(nodes: values, weights: values.map { _ in 1 })], dimension: 2000)
            let places = ladder(200, -1, 4)
            let found = density.distribution(at: places, bandwidth: width).shares
            let exact = truth.distribution(at: places, bandwidth: width).shares
            let error = zip(found, exact).map { abs($0 - $1) }.max()!
            #expect(error < 0.01 && error > 0, "\(error), width \(width)")
            #expect(density.truncation()!.largestChange < 0.003, "\(density.truncation()!)")
        }

        @Test(arguments: TestDevices.targets, [1e-12, 1e12])
        func scaledSpectraGiveScaledDensities(_ target: Target, _ factor: Double) throws {
            let values = ladder(150, -0.2, 1) + [3, 4]
            let plain = try SpectralDensity.estimate(
                DiagonalOperator(values, target), steps: 40, probes: 3, seed: 1)
            let scaled = try SpectralDensity.estimate(
                DiagonalOperator(values.map { $0 * factor }, target), steps: 40, probes: 3, seed: 1)
            let tolerance = target.tolerance(2e-4, 1e-10)
            #expect(mismatch(scaled.nodes.map { $0 / factor }, plain.nodes, tolerance: tolerance) == nil)
            #expect(mismatch(scaled.weights, plain.weights, tolerance: tolerance) == nil)
            let (a, b) = (plain.density(), scaled.density())
            #expect(abs(b.bandwidth.value / factor / a.bandwidth.value - 1) < target.tolerance(0.01, 1e-9))
            #expect(b.points.count == 2 && a.points.count == 2)
            #expect(abs(scaled.negativeMass().mean - plain.negativeMass().mean) < tolerance)
            #expect(
                abs(scaled.truncation()!.largestChange - plain.truncation()!.largestChange)
                    < target.tolerance(1e-3, 1e-9))
        }

        @Test(arguments: TestDevices.targets)
        func progressIsTold(_ target: Target) throws {
            var told: [DensityProgress] = []
            let density = try SpectralDensity.estimate(
                DiagonalOperator(ladder(50), target, blockSize: 2), steps: 4, probes: 3, seed: 1
            ) { told.append($0) }
            #expect(told.map(\.probe) == [0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2, 2])
            #expect(told.map(\.step) == [1, 1, 2, 2, 3, 3, 4, 4, 1, 2, 3, 4])
            #expect(told.last!.largest == density.rules[2].nodes.last)
            #expect(told.last!.smallest == density.rules[2].nodes.first && told.last!.residualBound > 0)
        }
    }
}
