import Analysis
import Backend
import Foundation
import Models
import TestSupport
import Testing

extension OnDevices {
    /// Spectra of networks small enough for dense matrices, against LAPACK.
    @Suite struct ExactSpectrumTests {
        /// A network with weights and data whose Hessian has both signs, and its eigenvalues by LAPACK.
        private struct Case: Sendable {
            let problem: Problem
            let curvature: Curvature
            /// Ascending.
            let eigenvalues: [Double]

            init(_ input: String, _ layers: [String], _ curvature: Curvature, count: Int) throws {
                problem = try Problem(input, layers, count: count, seed: 11, .crossEntropy)
                self.curvature = curvature
                let matrix = try CurvatureOperator(
                    curvature, of: problem.risk(TestDevices.exactTargets[0], batchSize: 64))
                eigenvalues = try HostLinearAlgebra.symmetricEigenvalues(
                    try matrix.blockwiseDense(), matrix.dimension)
            }
        }

        private static let convolutional = [
            "conv: {filters: 6, kernel: 3}", "tanh", "conv: {filters: 8, kernel: 3}", "relu", "flatten",
            "dense: 5",
        ]
        private static let cases = Result {
            [
                try Case("[1, 8, 8]", convolutional, .hessian, count: 40),
                try Case("[1, 8, 8]", convolutional, .gaussNewton, count: 40),
            ]
        }
        private static let large = Result {
            try Case("[24]", ["dense: 60", "tanh", "dense: 20", "relu", "dense: 10"], .hessian, count: 60)
        }

        private func check(_ item: Case, _ target: Target) throws {
            let matrix = try CurvatureOperator(
                item.curvature, of: item.problem.risk(target, batchSize: 64))
            let exact = item.eigenvalues, top = exact.last!
            for (end, wanted) in [
                (SpectrumEnd.largest, Array(exact.suffix(6).reversed())),
                (.smallest, Array(exact.prefix(6))),
                (.both, Array(exact.suffix(4).reversed()) + Array(exact.prefix(3).reversed())),
            ] {
                let found = try Eigenpairs.find(end, wanted.count, of: matrix)
                #expect(found.isConverged && found.values.count == wanted.count)
                for (index, value) in wanted.enumerated() {
                    let error = abs(found.values[index] - value)
                    #expect(error <= 1e-8 * top, "\(end) \(index): \(found.values[index]) \(value)")
                    #expect(
                        found.errors[index].interval.lowerBound - 1e-12 * top <= value
                            && value <= found.errors[index].interval.upperBound + 1e-12 * top)
                }
            }
        }

        @Test(arguments: TestDevices.exactTargets, [0, 1])
        func bothEndsAgainstLAPACK(_ target: Target, _ number: Int) throws {
            try check(Self.cases.get()[number], target)
        }

        /// 2,930 parameters.
        @Test func aLargerOneAgainstLAPACK() throws {
            let large = try Self.large.get()
            #expect(large.eigenvalues.count == 2930)
            try check(large, TestDevices.exactTargets[0])
        }

        /// The smoothed distribution function of the whole spectrum from 10 probes of 90 steps.
        @Test func theWholeSpectrum() throws {
            let item = try Self.large.get(), exact = item.eigenvalues, n = Double(exact.count)
            let matrix = try CurvatureOperator(
                item.curvature, of: item.problem.risk(TestDevices.exactTargets[0], batchSize: 64))
            let density = try SpectralDensity.estimate(matrix, steps: 90, probes: 10, seed: 3)
            // How many are negative, where the quadrature leaves it open.
            for other in try [density]
                + (1...4).map({ try .estimate(matrix, steps: 15, probes: 10, seed: $0) })
            {
                let beyond = other.resolutionAtZero
                let negative = Double(exact.count { $0 < -beyond }) / n
                let interval = try #require(other.negativeMassInterval(noise: beyond))
                #expect(interval.lower <= negative && negative <= interval.upper, "\(interval) \(negative)")
            }
            let width = density.density().bandwidth.value
            let places =
                (0...400).map {
                    exact[0] + (exact[exact.count - 1] - exact[0]) * Double($0) / 400
                } + Swift.stride(from: 0, to: exact.count, by: 10).map { exact[$0] }
            let found = density.distribution(at: places, bandwidth: width)
            for (place, share) in zip(places, found.shares) {
                let truth = exact.reduce(0) { $0 + erfc(($1 - place) / width / 2.0.squareRoot()) / 2 } / n
                #expect(abs(share - truth) < 0.01, "\(place): \(share) \(truth)")
            }
        }

        /// Eigenvalues keep their digits at every scale, with iterates in float32.
        @Test(arguments: TestDevices.targets, [1e-5, 1, 1e5])
        func scales(_ target: Target, _ scale: Double) throws {
            let item = try Self.cases.get()[0]
            let matrix = try ScaledOperator(
                scale, CurvatureOperator(item.curvature, of: item.problem.risk(target, batchSize: 64)))
            let found = try Eigenpairs.largest(3, of: matrix)
            for (value, exact) in zip(found.values, item.eigenvalues.suffix(3).reversed()) {
                #expect(abs(value / scale / exact - 1) < target.tolerance(2e-5, 1e-10), "\(value)")
            }
            let density = try SpectralDensity.estimate(matrix, steps: 30, probes: 3, seed: 1)
            #expect(
                abs(density.nodes.max()! / scale / item.eigenvalues.last! - 1) < target.tolerance(1e-4, 1e-6))
        }
    }
}

extension LinearOperator {
    /// All elements, several columns at a time.
    fileprivate func blockwiseDense() throws -> [Double] {
        var elements: [Double] = []
        let block = blockSize, units = try space.vectors(block), products = try space.vectors(block)
        for first in Swift.stride(from: 0, to: dimension, by: block) {
            let count = min(block, dimension - first)
            var values = [Double](repeating: 0, count: block * dimension)
            for row in 0..<count { values[row * dimension + first + row] = 1 }
            try space.backend.write(values, to: units.all)
            try apply(
                (0..<count).map { space.row($0, of: units) },
                into: (0..<count).map { space.row($0, of: products) })
            elements += try space.backend.download(products.all).prefix(count * dimension)
        }
        return elements
    }
}
