import Backend
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Eigenvalues that are points beside the density: known ones, and those that stand apart.
    @Suite struct KnownEigenpairTests {
        /// Known eigenpairs count exactly, and the rest lives beside them.
        @Test(arguments: TestDevices.targets)
        func knownEigenpairsCountExactly(_ target: Target) throws {
            let values = [6, 4, 3, -2] + ladder(496), n = 500
            let matrix = try DiagonalOperator(values, target)
            let rows = (0..<4 * n).map { $0 % n == $0 / n ? 1.0 : 0 }
            let known = KnownEigenpairs(
                values: Array(values.prefix(4)),
                vectors: try matrix.space.backend.upload(rows, target.precision))
            let density = try SpectralDensity.estimate(matrix, steps: 60, probes: 4, seed: 2, avoiding: known)
            #expect(density.nodes.allSatisfy { $0 > -0.001 && $0 < 1.001 })
            #expect(abs(density.weights.reduce(0, +) - 496.0 / 500) < 1e-12)
            let isolated = density.isolatedEigenvalues()
            #expect(isolated.above.map(\.value) == [6, 4, 3] && isolated.below.map(\.value) == [-2])
            #expect((isolated.above + isolated.below).allSatisfy { $0.mass == 1.0 / 500 })
            #expect(abs(density.negativeMass(noise: 0.5).mean - 1.0 / 500) < 1e-12)
            let curve = density.density()
            #expect(abs(curve.mass - 496.0 / 500) < 1e-12)
            let trace = density.trace
            #expect(abs(trace.mean - values.reduce(0, +)) < 4 * trace.standardError)
            let twice = KnownEigenpairs(
                values: [6, 6],
                vectors: try matrix.space.backend.upload(
                    Array(rows.prefix(n)) + Array(rows.prefix(n)), target.precision))
            #expect(throws: BackendError.self) {
                try SpectralDensity.estimate(matrix, steps: 5, probes: 1, seed: 2, avoiding: twice)
            }
        }

        @Test(arguments: TestDevices.targets)
        func nothingIsLeftWhenAllIsKnown(_ target: Target) throws {
            let matrix = try DiagonalOperator([1, 2, 5], target)
            let rows = try matrix.space.backend.upload([1, 0, 0, 0, 1, 0, 0, 0, 1], target.precision)
            let density = try SpectralDensity.estimate(
                matrix, steps: 9, probes: 2, seed: 1,
                avoiding: KnownEigenpairs(values: [1, 2, 5], vectors: rows))
            #expect(density.nodes.isEmpty && density.trace.mean == 8 && density.trace.standardError == 0)
            #expect(abs(density.distribution(at: [3]).shares[0] - 2.0 / 3) < 1e-15)
            let curve = density.density(over: 0...6)
            #expect(curve.mass == 0 && curve.points.map(\.value).sorted() == [1, 2, 5])
        }

        /// Without known ones, nodes that every probe found; bulks alone have none.
        @Test(arguments: TestDevices.targets)
        func isolatedEigenvaluesAreFound(_ target: Target) throws {
            let matrix = try DiagonalOperator([6, 4, 3, -2] + ladder(496), target)
            let density = try SpectralDensity.estimate(matrix, steps: 60, probes: 4, seed: 2)
            let isolated = density.isolatedEigenvalues(), tolerance = target.tolerance(1e-5, 1e-12)
            #expect(mismatch(isolated.above.map(\.value), [6, 4, 3], tolerance: tolerance) == nil)
            #expect(mismatch(isolated.below.map(\.value), [-2], tolerance: tolerance) == nil)
            let masses = (isolated.above + isolated.below).reduce(0) { $0 + $1.mass }
            #expect(abs(density.density().mass + masses - 1) < 1e-12)
            #expect(masses > 0.001 && masses < 0.03)
        }

        /// Some are known, some only found by the probes: all of them stand apart, on both sides.
        @Test(arguments: TestDevices.targets, [1, 2])
        func knownOnesHideNoOthers(_ target: Target, _ count: Int) throws {
            let values = [6.0, 4, 3, -2] + ladder(496), n = values.count
            let rows = (0..<count).flatMap { row in (0..<n).map { $0 == row ? 1.0 : 0 } }
            let matrix = try DiagonalOperator(values, target)
            let density = try SpectralDensity.estimate(
                matrix, steps: 60, probes: 4, seed: 2,
                avoiding: KnownEigenpairs(
                    values: Array(values.prefix(count)),
                    vectors: try matrix.space.backend.upload(rows, target.precision)))
            let isolated = density.isolatedEigenvalues(), tolerance = target.tolerance(1e-5, 1e-12)
            #expect(
                mismatch(isolated.above.map(\.value), [6, 4, 3], tolerance: tolerance) == nil, "\(isolated)")
            #expect(mismatch(isolated.below.map(\.value), [-2], tolerance: tolerance) == nil)
            #expect(isolated.above.prefix(count).allSatisfy { $0.mass == 1 / Double(n) })
            let curve = density.density()
            #expect(curve.points.count == 4)
            #expect(abs(curve.mass + curve.points.reduce(0) { $0 + $1.mass } - 1) < 1e-12)
            #expect(curve.grid.last! < 2)
        }

        /// The edge of a bulk is no eigenvalue apart, whether steps resolve it or not.
        @Test(arguments: TestDevices.exactTargets, [20, 60, 120])
        func bulksAreWhole(_ target: Target, steps: Int) throws {
            for seed in 0..<3 as Range<UInt64> {
                let matrix = try target.matrix(symmetric(120, seed: seed))
                let density = try SpectralDensity.estimate(matrix, steps: steps, probes: 3, seed: seed)
                let isolated = density.isolatedEigenvalues()
                #expect(isolated.above.isEmpty && isolated.below.isEmpty, "seed \(seed): \(isolated)")
            }
        }
    }
}
