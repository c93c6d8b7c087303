import Backend
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// What surely parts the values found from all others.
    @Suite struct SpectrumSplitTests {
        /// A matrix in blocks `[[T, Cᵀ], [C, B]]` with B the given multiple of one, which has a dimension more than C couples to;
        /// how many of its values lie beyond a place.
        private static func count(
            beyond split: SpectrumSplit, _ values: [Double], _ couplings: [[Double]], _ rest: Double
        ) throws -> Int {
            let m = values.count, width = couplings[0].count, n = m + width + 1
            var matrix = [Double](repeating: 0, count: n * n)
            for i in 0..<m {
                matrix[i * n + i] = values[i]
                for j in 0..<width {
                    matrix[i * n + m + j] = couplings[i][j]
                    matrix[(m + j) * n + i] = couplings[i][j]
                }
            }
            for j in m..<n { matrix[j * n + j] = rest }
            return try HostLinearAlgebra.symmetricEigenvalues(matrix, n).filter {
                split.isAbove ? $0 > split.place : $0 < split.place
            }.count
        }

        /// The limit is sharp: with the rest of the matrix at it, the numbers of values agree, and beyond it there is one more. Also
        /// where the last value couples most, so that the coupling alone would allow a limit beyond the place.
        @Test(arguments: [1, 2, 3], [0.2, 3])
        func theLimitIsSharp(_ width: Int, _ atLast: Double) throws {
            for isAbove in [true, false] { try limitIsSharp(width, atLast, isAbove) }
        }

        private func limitIsSharp(_ width: Int, _ atLast: Double, _ isAbove: Bool) throws {
            var random = TestRandom(seed: UInt64(width))
            let values = [-5.0, -4.5, -1, 0.5, 1, 4, 6], last = isAbove ? 5 : 1
            let couplings = values.indices.map { index in
                random.values(width).map { $0 * (index == last ? atLast : 1) }
            }
            let bounds = couplings.map { dot($0, $0).squareRoot() }
            let ritz = RitzPairs(values: values, vectors: [], couplings: couplings, bounds: bounds)
            let unlisted = isAbove ? Array(0..<5) : Array(2..<7)
            // Nearer to the last value than to the next, which alone would be beyond the limit at times.
            let split = try #require(
                try SpectrumSplit(
                    ritz, unlisted: unlisted, last: values[last], reach: 0, isAbove: isAbove, noise: 1e-10))
            #expect(split.place == (isAbove ? 4 - 3.0 / 8 : -4.5 + 3.5 / 8))
            let step = isAbove ? 1e-6 : -1e-6
            #expect(try Self.count(beyond: split, values, couplings, split.limit - step) == 2)
            #expect(try Self.count(beyond: split, values, couplings, split.limit + step) == 3)
            #expect(split.isBroken(by: split.limit + step) && !split.isBroken(by: split.limit - step))
        }

        /// Pairs that are locked on the other side couple by their residuals.
        @Test func lockedPairsCount() throws {
            let ritz = RitzPairs(values: [0, 8], vectors: [], couplings: [[0.5], [0]], bounds: [0.5, 0])
            func limit(_ locked: [(value: Double, residual: Double)]) throws -> Double? {
                try SpectrumSplit(
                    ritz, unlisted: [0], last: 8, reach: 4, isAbove: true, noise: 0, locked: locked)?.limit
            }
            #expect(try limit([]) == 4 - 0.25 / 4)
            #expect(try limit([(9, 0.3), (-6, 0.5)]) == 4 - 0.25 / 4 - 0.25 / 10)
        }

        /// Values closer than the noise are not parted, and neither is the last one there is.
        @Test func noSplit() throws {
            let ritz = RitzPairs(
                values: [1, 2, 2 + 1e-9], vectors: [], couplings: [[0.1], [0.1], [0.1]],
                bounds: [0.1, 0.1, 0.1])
            func split(_ unlisted: [Int], _ last: Double) throws -> SpectrumSplit? {
                try SpectrumSplit(ritz, unlisted: unlisted, last: last, reach: 0, isAbove: true, noise: 1e-8)
            }
            #expect(try split([0, 1], 2 + 1e-9) == nil)
            #expect(try split([], 1) == nil)
            #expect(try split([0], 2)?.place == 2 - 1.0 / 8)
            // κ = 1·8/7 − 0.01·8 takes the limit from 1.875 below 1.
            let rough = RitzPairs(
                values: [1, 2], vectors: [], couplings: [[1], [0.1]], bounds: [1, 0.1])
            let place = try SpectrumSplit(rough, unlisted: [0], last: 2, reach: 0, isAbove: true, noise: 0)
            #expect(place == nil, "what reaches beyond the next value is not settled")
        }

        /// Values are known long before vectors: fewer products, every error within its bound, and every bound within the tolerance.
        @Test(arguments: TestDevices.targets, SpectrumEnd.allCases)
        func acceptedByValue(_ target: Target, _ end: SpectrumEnd) throws {
            let outliers = [10, 9, 8.5, 7, 6, 5, -4, -5, -6.5, -7, -8, -9]
            let values = outliers + (0..<300).map { Double($0) / 600 }
            let matrix = try target.diagonal(values)
            let wanted = EigenpairTests.expected(end, 5, values)
            for tolerance in [1e-2, 1e-4] {
                func found(_ acceptance: EigenpairAcceptance) throws -> Eigenpairs {
                    try Eigenpairs.find(
                        end, 5, of: matrix, EigenpairOptions(tolerance: tolerance, acceptance: acceptance))
                }
                let (fast, exact) = (try found(.values), try found(.residuals))
                #expect(fast.isConverged && fast.isComplete && fast.missRisk <= 0.01)
                let saved = exact.applications - fast.applications
                #expect(saved >= (tolerance < 1e-3 ? 1 : 0), "\(fast.applications)")
                for (index, error) in fast.errors.enumerated() {
                    let off = abs(fast.values[index] - wanted[index])
                    #expect(off <= error.bound, "\(off) \(error)")
                    let rounding = 32 * target.precision.epsilon * fast.norm
                    #expect(error.bound <= tolerance * abs(wanted[index]) + rounding)
                }
                #expect(fast.errors.contains { $0.isQuadratic })
                #expect(exact.errors.allSatisfy { $0.bound <= tolerance * 10 })
            }
        }

        /// A value of which the first vector has no part is found by the check.
        @Test(arguments: TestDevices.targets)
        func aValueTheStartHides(_ target: Target) throws {
            let values = [9, 8, 7, 6] + (0..<100).map { Double($0) / 50 }
            let matrix = try target.diagonal(values)
            let start = try matrix.space.backend.upload(values.map { $0 == 8 ? 0 : 1 }, target.precision)
            for acceptance in EigenpairAcceptance.allCases {
                let found = try Eigenpairs.find(
                    .largest, 3, of: matrix, EigenpairOptions(acceptance: acceptance), start: [start.all])
                #expect(mismatch(found.values, [9, 8, 7], tolerance: target.tolerance(1e-5, 1e-10)) == nil)
                #expect(found.isConverged && found.isComplete)
            }
        }
    }
}
