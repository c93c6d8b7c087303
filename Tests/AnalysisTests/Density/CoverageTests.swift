import Backend
import Data
import Foundation
import TestSupport
import Testing

@testable import Analysis

/// 95 % intervals hold the truth in 95 of 100 runs: 1,000 runs of 10 probes, which tell 1.4 % (two standard errors).
@Suite struct CoverageTests {
    private static let runs = 1000

    /// The distribution function at five places, the bulk beside known eigenvalues.
    @Test(arguments: [0, 3])
    func distributions(_ count: Int) {
        let values = ladder(200), known = Array([5.0, 6, 7].prefix(count))
        let places = [0.2, 0.35, 0.5, 0.65, 0.8]
        let truth = places.map { place in Double(values.count { $0 < place }) / Double(200 + count) }
        var inside = [Int](repeating: 0, count: places.count)
        for seed in 0..<UInt64(Self.runs) {
            // Between two values: the function has steps.
            let found = exactDensity(values, probes: 10, seed: seed, known: known)
                .distribution(at: places.map { $0 - 0.001 })
            for i in places.indices where found.lower[i] <= truth[i] && truth[i] <= found.upper[i] {
                inside[i] += 1
            }
        }
        for (place, inside) in zip(places, inside) {
            #expect((930...970).contains(inside), "\(inside) of \(Self.runs) at \(place)")
        }
    }

    @Test func determinants() throws {
        let values = ladder(200).map { exp(-6 * $0) }
        let truth = values.reduce(0) { $0 + log($1 + 0.01) }
        var inside = 0
        for seed in 0..<UInt64(Self.runs) {
            let (lower, upper) = try exactDensity(values, probes: 10, seed: seed)
                .logDeterminant(shift: 0.01).interval()
            inside += lower <= truth && truth <= upper ? 1 : 0
        }
        #expect((930...970).contains(inside), "\(inside) of \(Self.runs)")
    }

    /// Random signs on a matrix that is not diagonal: weights are squares of products with its eigenvectors.
    @Test func signs() throws {
        let n = 60
        let (values, vectors) = try HostLinearAlgebra.symmetricEigen(symmetric(n, seed: 4), n)
        let truth = values.reduce(0) { $0 + log($1 + 20) }
        let below = Double(values.count { $0 < 0 }) / Double(n)
        var inside = [0, 0]
        for seed in 0..<UInt64(Self.runs) {
            let rules = (0..<10).map { probe in
                var random = RandomStream(seed: seed, purpose: "spectral probe \(probe)")
                let z = random.rademachers(n)
                let weights = vectors.withUnsafeBufferPointer { vectors in
                    (0..<n).map { k in
                        let product = (0..<n).reduce(0.0) { $0 + vectors[k * n + $1] * z[$1] }
                        return product * product
                    }
                }
                return QuadratureRule(nodes: values, weights: weights)
            }
            let density = SpectralDensity(rules: rules, dimension: n)
            let (lower, upper) = try density.logDeterminant(shift: 20).interval()
            inside[0] += lower <= truth && truth <= upper ? 1 : 0
            let mass = density.negativeMass().interval()
            inside[1] += mass.lower <= below && below <= mass.upper ? 1 : 0
        }
        #expect(inside.allSatisfy { (930...970).contains($0) }, "\(inside) of \(Self.runs)")
    }
}
