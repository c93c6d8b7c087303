import Analysis
import Backend
import TestSupport
import Testing

extension OnDevices {
    /// Eigenvalues of matrices whose spectra are known.
    @Suite struct LanczosTests {
        private let twoValued = [Double](repeating: 1, count: 100) + [Double](repeating: 5, count: 100)

        @Test(arguments: TestDevices.targets)
        func aTwoValuedSpectrumHasTwoNodes(_ target: Target) throws {
            let density = try SpectralDensity.estimate(
                target.diagonal(twoValued), steps: 20, probes: 3, seed: 1)
            #expect(density.nodes.count == 6)
            #expect(density.probes.map(\.count) == [2, 2, 2])
            for (node, weight) in zip(density.nodes, density.weights) {
                #expect(node.isFinite && weight.isFinite)
                #expect(min(abs(node - 1), abs(node - 5)) < target.tolerance(1e-5, 1e-13))
                #expect(abs(weight * 3 - 0.5) < 0.2)
            }
            #expect(abs(density.weights.reduce(0, +) - 1) < 1e-12)
        }

        @Test(arguments: TestDevices.targets)
        func theZeroOperator(_ target: Target) throws {
            let zero = try target.diagonal([Double](repeating: 0, count: 30))
            let pairs = try Eigenpairs.largest(3, of: zero)
            #expect(pairs.values == [0, 0, 0])
            #expect(pairs.residuals == [0, 0, 0])
            #expect(pairs.isConverged)
            let density = try SpectralDensity.estimate(zero, steps: 20, probes: 2, seed: 0)
            #expect(density.nodes == [0, 0])
            #expect(density.weights == [0.5, 0.5])
            let trace = try TraceEstimate.hutchinson(zero, probes: 3, seed: 0)
            #expect(trace.mean == 0 && trace.standardError == 0)
        }

        @Test(arguments: TestDevices.targets, [1e-12, 1e12])
        func scaledSpectraGiveScaledAnswers(_ target: Target, _ factor: Double) throws {
            let plain = try target.matrix(symmetric(60, seed: 2))
            let scaled = try ScaledOperator(factor, plain)
            let a = try Eigenpairs.largest(4, of: plain)
            let b = try Eigenpairs.largest(4, of: scaled)
            let tolerance = target.tolerance(2e-5, 1e-12)
            #expect(
                mismatch(b.values.map { $0 / factor }, a.values, tolerance: tolerance) == nil, "\(b.values)")
            #expect(b.isConverged && b.residuals.allSatisfy { $0 / factor < target.tolerance(1e-3, 1e-8) })
            let nodes = try SpectralDensity.estimate(
                ScaledOperator(factor, target.diagonal(twoValued)), steps: 20, probes: 1, seed: 1)
            #expect(nodes.nodes.count == 2, "\(nodes.nodes)")
        }

        /// Small eigenvalues beside a large one, of either sign: errors are judged against each value, down to the
        /// operator's rounding noise.
        @Test(arguments: TestDevices.targets)
        func smallValuesBesideALargeOne(_ target: Target) throws {
            let bulk = (0..<190).map { 0.1 * Double($0) / 190 }
            let positive = try Eigenpairs.largest(5, of: target.diagonal([1e4, 1, 1, 1, 0.3, 0.3] + bulk))
            let noise = target.tolerance(0.02, 1e-9)
            #expect(
                zip(positive.values, [1e4, 1, 1, 1, 0.3]).allSatisfy { abs($0 - $1) < max(noise, 1e-9 * $1) },
                "\(positive.values)")
            let ladder = (0..<500).map { Double($0) * 0.002 }
            let negative = try Eigenpairs.largest(3, of: target.diagonal([-1e3] + ladder))
            #expect(
                zip(negative.values, [0.998, 0.996, 0.994]).allSatisfy {
                    abs($0 - $1) < target.tolerance(0.002, 1e-9)
                },
                "\(negative.values)")
        }

        /// Norms of vectors near the smallest numbers of the format.
        @Test(arguments: TestDevices.targets)
        func normsOfTinyVectors(_ target: Target) throws {
            let space = try target.diagonal([1, 1, 1, 1]).space
            for scale in [1e-37, 1e-30, 1, 1e30] {
                let vector = try space.backend.upload([3 * scale, 0, 4 * scale, 0], space.precision)
                let norm = try space.norm(vector.all)
                #expect(abs(norm / (5 * scale) - 1) < 1e-5, "\(scale)")
            }
        }

        @Test(arguments: TestDevices.targets)
        func multiplicity(_ target: Target) throws {
            let matrix = try target.diagonal([10, 10, 10] + [Double](repeating: 1, count: 97))
            let found = try Eigenpairs.largest(3, of: matrix)
            #expect(mismatch(found.values, [10, 10, 10], tolerance: target.tolerance(1e-6, 1e-13)) == nil)
            let more = try Eigenpairs.largest(5, of: matrix)
            #expect(
                mismatch(more.values, [10, 10, 10, 1, 1], tolerance: target.tolerance(1e-6, 1e-13)) == nil)
            // The vectors are orthonormal.
            let rows = try matrix.space.backend.download(more.vectors.all)
            for i in 0..<5 {
                for j in 0...i {
                    let product = dot(
                        Array(rows[100 * i..<100 * i + 100]), Array(rows[100 * j..<100 * j + 100]))
                    #expect(abs(product - (i == j ? 1 : 0)) < target.tolerance(1e-5, 1e-12))
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func smallAndNegativeSpectra(_ target: Target) throws {
            #expect(try Eigenpairs.largest(5, of: target.diagonal([7])).values == [7])
            let negative = try Eigenpairs.largest(2, of: target.diagonal([-3, -1, -2, -1]))
            #expect(mismatch(negative.values, [-1, -1], tolerance: target.tolerance(1e-6, 1e-13)) == nil)
        }

        /// Against LAPACK, with residuals computed again on the host.
        @Test(arguments: TestDevices.targets)
        func aRandomMatrix(_ target: Target) throws {
            let n = 200, elements = symmetric(200, seed: 3)
            let matrix = try target.matrix(elements)
            let found = try Eigenpairs.largest(5, of: matrix)
            let exact = try HostLinearAlgebra.symmetricEigenvalues(elements, n)
            let tolerance = target.tolerance(3e-6, 1e-12)
            #expect(mismatch(found.values, exact.suffix(5).reversed(), tolerance: tolerance) == nil)
            #expect(found.isConverged)
            #expect(found.applications < n + 20)
            let vectors = try matrix.space.backend.download(found.vectors.all)
            let given = target.precision == .float64 ? elements : elements.map { Double(Float($0)) }
            for (index, value) in found.values.enumerated() {
                let x = Array(vectors[n * index..<n * index + n])
                let residual = (0..<n).map { dot(Array(given[n * $0..<n * $0 + n]), x) - value * x[$0] }
                let norm = dot(residual, residual).squareRoot()
                #expect(abs(norm - found.residuals[index]) < tolerance * 10)
            }
        }

        /// A search that is cut short says so, and its residual is true.
        @Test(arguments: TestDevices.targets)
        func unconvergedResultsAreToldSo(_ target: Target) throws {
            let elements = symmetric(200, seed: 4)
            let found = try Eigenpairs.largest(1, of: target.matrix(elements), EigenpairOptions(steps: 6))
            #expect(!found.isConverged)
            #expect(found.residuals[0] > 0.01)
            let top = try HostLinearAlgebra.symmetricEigenvalues(elements, 200).last!
            #expect(found.values[0] < top && found.values[0] + found.residuals[0] > found.values[0])
        }
    }
}
