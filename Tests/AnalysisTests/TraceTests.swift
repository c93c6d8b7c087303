import Analysis
import Backend
import Foundation
import TestSupport
import Testing

extension OnDevices {
    /// Traces of operators whose traces are known.
    @Suite struct TraceTests {
        private static let decaying = (0..<1000).map { pow(0.7, Double($0)) }

        /// Epperly, Tropp and Webber 2024: relative 1e-5 on eigenvalues 0.7ᵏ, n = 1000, within 70 products.
        @Test(arguments: TestDevices.exactTargets)
        func geometricEigenvaluesWithinSeventyProducts(_ target: Target) throws {
            let exact = Self.decaying.reduce(0, +), matrix = try target.diagonal(Self.decaying)
            for seed in 0..<5 as Range<UInt64> {
                let found = try TraceEstimate.estimate(
                    matrix, TraceOptions(.xtrace, products: 70, seed: seed))
                #expect(found.products <= 70)
                #expect(abs(found.mean / exact - 1) < 1e-5, "\(found)")
                #expect(found.standardError < 1e-5 * exact && found.standardError > 0)
            }
        }

        @Test(arguments: TestDevices.targets, TraceMethod.allCases)
        func lowRankIsExactAndRoundingIsKept(_ target: Target, _ method: TraceMethod) throws {
            let values = [5.0, -3, 2, 1] + [Double](repeating: 0, count: 46)
            let found = try TraceEstimate.estimate(
                target.diagonal(values), TraceOptions(method, products: 24, seed: 1))
            // Signs see a diagonal exactly.
            #expect(abs(found.mean - 5) < target.tolerance(5e-5, 1e-12), "\(found)")
            #expect(found.interval.upper - found.interval.lower < target.tolerance(1e-4, 1e-11))
        }

        /// Many eigenvalues below rounding add up to more than it.
        @Test(arguments: [TraceMethod.hutchPlusPlus, .xtrace])
        func whatIsLeftBelowRounding(_ method: TraceMethod) throws {
            let target = TestDevices.targets.first { $0.precision == .float32 }!
            let values = [1.0] + [Double](repeating: 3e-8, count: 1999), exact = 1 + 1999 * 3e-8
            let found = try TraceEstimate.estimate(
                DiagonalOperator(values, target), TraceOptions(method, products: 40, seed: 1))
            #expect(found.interval.lower <= exact && exact <= found.interval.upper, "\(found)")
            #expect(found.interval.upper - found.interval.lower < 1e-3)
        }

        /// Forms too large for the format are no estimate.
        @Test func formsThatAreNotFinite() throws {
            let target = TestDevices.targets.first { $0.precision == .float32 }!
            let matrix = try DiagonalOperator([1e38, 1e38, 1e38, 1e38], target)
            #expect(throws: BackendError.self) {
                try TraceEstimate.estimate(matrix, TraceOptions(.hutchinson, products: 3))
            }
        }

        @Test(arguments: TestDevices.targets, TraceMethod.allCases)
        func smallSpacesAndOddNumbers(_ target: Target, _ method: TraceMethod) throws {
            for n in [1, 2, 3] {
                let values = (0..<n).map { Double($0) + 1 }
                for products in [1, 2, 3, 50] {
                    let found = try TraceEstimate.estimate(
                        target.diagonal(values), TraceOptions(method, products: products, seed: 2))
                    #expect(found.mean.isFinite && found.products > 0)
                    if method == .xtrace, products == 50 {
                        #expect(abs(found.mean - values.reduce(0, +)) < target.tolerance(1e-4, 1e-12))
                    }
                }
            }
        }

        /// A spread, definite spectrum, whose eigenvectors are no unit vectors: random signs would see those exactly.
        private static let spread: (elements: [Double], trace: Double) = {
            let n = 60, elements = symmetric(n, seed: 3)
            let shifted = (0..<n * n).map { elements[$0] + ($0 % (n + 1) == 0 ? 3 : 0) }
            return (shifted, (0..<n).reduce(0) { $0 + shifted[$1 * (n + 1)] })
        }()

        /// Over 1,000 seeds, intervals of 95 % hold the trace in 93 to 97 % of cases.
        @Test(arguments: TraceMethod.allCases, [10, 30])
        func intervalsCover(_ method: TraceMethod, _ products: Int) throws {
            let matrix = try TestDevices.exactTargets[0].matrix(Self.spread.elements)
            let covered = try (0..<1000 as Range<UInt64>).filter { seed in
                let found = try TraceEstimate.estimate(
                    matrix, TraceOptions(method, products: products, seed: seed))
                return found.interval.lower <= Self.spread.trace && Self.spread.trace <= found.interval.upper
            }.count
            #expect((930...970).contains(covered), "\(covered)")
        }

        /// Stopping when the interval is narrow enough does not cost its coverage, and does stop.
        @Test(arguments: [TraceMethod.hutchinson, .hutchPlusPlus])
        func stoppingKeepsCoverage(_ method: TraceMethod) throws {
            let matrix = try TestDevices.exactTargets[0].matrix(Self.spread.elements)
            var covered = 0, early = 0
            for seed in 0..<500 as Range<UInt64> {
                let found = try TraceEstimate.estimate(
                    matrix, TraceOptions(method, products: 400, tolerance: 0.06, seed: seed))
                if found.interval.lower <= Self.spread.trace && Self.spread.trace <= found.interval.upper {
                    covered += 1
                }
                if found.products < 400 {
                    early += 1
                    #expect(found.isConverged)
                    #expect(found.interval.upper - found.interval.lower <= 0.12 * found.mean)
                }
            }
            #expect(covered >= 465 && early > 400, "\(covered) \(early)")
        }

        /// What cannot be reached is said.
        @Test func aToleranceOutOfReach() throws {
            let matrix = try TestDevices.exactTargets[0].matrix(Self.spread.elements)
            let found = try TraceEstimate.estimate(matrix, TraceOptions(products: 40, tolerance: 1e-6))
            #expect(!found.isConverged && found.products == 40)
        }

        @Test(arguments: TestDevices.targets, TraceMethod.allCases)
        func blocksChangeNothing(_ target: Target, _ method: TraceMethod) throws {
            let risk = try Problem("[6]", ["dense: 5", "tanh", "dense: 3"], count: 9, seed: 1, .crossEntropy)
                .risk(target)
            let hessian = try CurvatureOperator(.hessian, of: risk)
            let dense = try target.matrix(hessian.dense())
            let options = TraceOptions(method, products: 21, seed: 5)
            let one = try TraceEstimate.estimate(dense, options)
            let several = try TraceEstimate.estimate(hessian, options)
            #expect(hessian.blockSize > 1 && dense.blockSize == 1)
            #expect(abs(one.mean - several.mean) < target.tolerance(1e-4, 1e-11) * abs(one.mean))
        }

        @Test(arguments: TestDevices.targets)
        func diagonals(_ target: Target) throws {
            let matrix = try target.matrix(Self.spread.elements)
            let exact = (0..<60).map { Self.spread.elements[$0 * 61] }
            let all = try DiagonalEstimate.estimate(matrix, probes: 60, seed: 0)
            #expect(all.isExact && all.standardErrors.allSatisfy { $0 == 0 })
            #expect(mismatch(all.elements, exact, tolerance: target.tolerance(1e-6, 1e-15)) == nil)
            let some = try DiagonalEstimate.estimate(matrix, probes: 40, seed: 0)
            let scores = (0..<60).map { (some.elements[$0] - exact[$0]) / some.standardErrors[$0] }
            #expect(scores.allSatisfy { abs($0) < 5 } && scores.contains { abs($0) > 1 })
            // The variance of an element is the sum of squares of the others in its row.
            let variance = (1..<60).reduce(0) { $0 + Self.spread.elements[$1] * Self.spread.elements[$1] }
            #expect(abs(some.standardErrors[0] / (variance / 40).squareRoot() - 1) < 0.4)
        }
    }
}
