import Analysis
import Data
import Testing

/// The random matrix: its entries, and the mean, variance and error bars of what it estimates.
@Suite struct RandomProjectionTests {
    private static let u: [Double] = [1, 2, 3, 4], v: [Double] = [2, 0, -1, 1]

    /// R·scale of some parameters, `[P, k]`.
    private func columns(_ projection: RandomProjection, _ count: Int) -> [[Double]] {
        let units = (0..<count * count).map { $0 % (count + 1) == 0 ? 1.0 : 0 }
        let features = projection.features(of: units, count: count), k = projection.dimensions
        return (0..<count).map { Array(features[$0 * k..<($0 + 1) * k]) }
    }

    /// Entries are where the documentation says, whatever else is asked for.
    @Test func entriesByPosition() {
        let signs = columns(RandomProjection(.rademacher, dimensions: 4, seed: 5), 200)
        let normals = columns(RandomProjection(.gaussian, dimensions: 4, seed: 5), 200)
        let sketch = columns(RandomProjection(.sparse, dimensions: 12, blocks: 4, seed: 5), 200)
        func stream(_ name: String, _ part: Int, _ word: Int) -> RandomStream {
            RandomStream(
                seed: 5, purpose: "projection \(name)", position: UInt64(part) << 40 + UInt64(word))
        }
        for p in [0, 1, 63, 64, 65, 130, 199] {
            for part in 0..<4 {
                var bits = stream("rademacher", part, 2 * (p / 64))
                #expect(signs[p][part] == (bits.words(1)[0] >> UInt64(p % 64) & 1 == 0 ? 0.5 : -0.5))
                var normal = stream("gaussian", part, 4 * (p / 2) + p % 2)
                #expect(normals[p][part] == normal.normal() / 2)
                var word = stream("sparse", part, 2 * p)
                let bit = word.words(1)[0]
                let bucket = Int(Double(bit >> 1) / 0x1p63 * 3)
                for row in 0..<3 {
                    let expected = row == bucket ? (bit & 1 == 0 ? 0.5 : -0.5) : 0
                    #expect(sketch[p][part * 3 + row] == expected)
                }
            }
        }
    }

    @Test func nestedRows() {
        for distribution in [RandomProjection.Distribution.rademacher, .gaussian] {
            let small = columns(RandomProjection(distribution, dimensions: 16, seed: 3), 9)
            let large = columns(RandomProjection(distribution, dimensions: 64, seed: 3), 9)
            #expect(zip(small, large).allSatisfy { $0 == $1.prefix(16).map { value in value * 2 } })
            #expect(small != columns(RandomProjection(distribution, dimensions: 16, seed: 4), 9))
        }
    }

    /// `⟨u, v⟩` = 3: variance 131/k for signs and count sketches, 189/k for normal numbers; 95 % intervals hold what they
    /// claim.
    @Test(arguments: [
        (RandomProjection.Distribution.rademacher, 256, 131.0), (.gaussian, 256, 189), (.sparse, 512, 131),
    ])
    func meanVarianceAndCoverage(
        _ distribution: RandomProjection.Distribution, _ dimensions: Int, _ variance: Double
    ) {
        let count = 10_000
        var estimates: [Double] = [], squaredErrors = 0.0, covered = 0
        for seed in 0..<count {
            let projection = RandomProjection(
                distribution, dimensions: dimensions, blocks: 256, seed: UInt64(seed))
            let features = projection.features(of: Self.u + Self.v, count: 2)
            let estimate = projection.estimate(
                Array(features[..<dimensions]), Array(features[dimensions...]))
            estimates.append(estimate.mean)
            squaredErrors += estimate.standardError * estimate.standardError
            let (lower, upper) = estimate.interval()
            covered += lower <= 3 && 3 <= upper ? 1 : 0
        }
        let found = MeanEstimate(estimates), k = Double(dimensions)
        #expect(abs(found.mean - 3) < 4.5 * (variance / k / Double(count)).squareRoot(), "\(found.mean)")
        let spread = found.standardError * found.standardError * Double(count) * k
        #expect(abs(spread / variance - 1) < 0.06, "variance \(spread)/k")
        let claimed = squaredErrors / Double(count) * k
        #expect(abs(claimed / variance - 1) < 0.06, "claimed variance \(claimed)/k")
        #expect((9300...9700).contains(covered), "\(covered) of \(count) intervals hold 3")
    }

    @Test func oneParameterIsExact() {
        for distribution in [RandomProjection.Distribution.rademacher, .sparse] {
            let projection = RandomProjection(distribution, dimensions: 64, seed: 1)
            let features = projection.features(of: [3, -2], count: 2)
            let estimate = projection.estimate(Array(features[..<64]), Array(features[64...]))
            #expect(abs(estimate.mean + 6) < 1e-14 && estimate.standardError < 1e-14)
        }
    }
}
