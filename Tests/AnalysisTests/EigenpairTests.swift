import Analysis
import Backend
import Foundation
import TestSupport
import Testing

extension OnDevices {
    /// Both ends of spectra against LAPACK and closed forms.
    @Suite struct EigenpairTests {
        /// The wanted end of some values, in the order of the result.
        static func expected(_ end: SpectrumEnd, _ count: Int, _ values: [Double]) -> [Double] {
            let rising = values.sorted()
            return switch end {
            case .largest: rising.suffix(count).reversed()
            case .smallest: Array(rising.prefix(count))
            case .both:
                rising.suffix((count + 1) / 2).reversed() + rising.prefix(count / 2).reversed()
            }
        }

        /// The largest distance from the expected values, relative to the largest magnitude.
        static func error(_ found: Eigenpairs, _ expected: [Double], scale: Double) -> Double {
            guard found.values.count == expected.count else { return .infinity }
            return zip(found.values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
        }

        @Test(arguments: TestDevices.targets)
        func randomMatrices(_ target: Target) throws {
            for n in [2, 37, 120] {
                let elements = symmetric(n, seed: UInt64(n))
                let exact = try HostLinearAlgebra.symmetricEigenvalues(elements, n)
                let scale = exact.reduce(0) { max($0, abs($1)) }
                let count = min(n, 5)
                let matrix = try target.matrix(elements)
                for end in SpectrumEnd.allCases {
                    let found = try Eigenpairs.find(end, count, of: matrix)
                    let error = Self.error(found, Self.expected(end, count, exact), scale: scale)
                    #expect(error < target.tolerance(3e-6, 1e-12), "\(n): \(error)")
                    #expect(found.isConverged && found.isComplete)
                }
            }
        }

        /// A bulk on [−2, 2] and a spike of height 3 that a rank-one part pushes out to 3 + 1/3: once, and the edge after it.
        @Test(arguments: TestDevices.targets)
        func aSpikedEnsemble(_ target: Target) throws {
            let n = 400
            var random = TestRandom(seed: 11)
            let spike = (0..<n).map { $0 % 2 == 0 ? 1.0 : -1 }
            var a = [Double](repeating: 0, count: n * n)
            for i in 0..<n {
                for j in 0...i {
                    // Uniform numbers of variance 1/n.
                    let value = random.values(1)[0] * (3 / Double(n)).squareRoot()
                    a[i * n + j] = value + 3 / Double(n) * spike[i] * spike[j]
                    a[j * n + i] = a[i * n + j]
                }
            }
            let exact = try HostLinearAlgebra.symmetricEigenvalues(a, n)
            let matrix = try target.matrix(a)
            for end in SpectrumEnd.allCases {
                let found = try Eigenpairs.find(end, 6, of: matrix)
                let error = Self.error(found, Self.expected(end, 6, exact), scale: exact[n - 1])
                #expect(error < target.tolerance(2e-6, 1e-12), "\(end): \(error)")
                if end == .largest {
                    #expect(abs(found.values[0] - (3 + 1 / 3.0)) < 0.15 && found.values[1] < 2.1)
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func multiplicities(_ target: Target) throws {
            let values = [5, 5, 5, 4, 4, -3, -3, -6] + (0..<40).map { Double($0) / 40 }
            let matrix = try target.diagonal(values)
            for (blockSize, counts) in [(1, [1, 6]), (2, [3]), (4, [6])] {
                for (count, end) in counts.flatMap({ c in SpectrumEnd.allCases.map { (c, $0) } }) {
                    let found = try Eigenpairs.find(
                        end, count, of: matrix, EigenpairOptions(blockSize: blockSize))
                    let error = Self.error(found, Self.expected(end, count, values), scale: 6)
                    #expect(error < target.tolerance(1e-6, 1e-13), "\(found.values)")
                }
            }
        }

        /// A copy of a value in the middle of a ladder is hard to see; at this risk it is missed once in a thousand.
        @Test(arguments: TestDevices.exactTargets)
        func aCopyInALadder(_ target: Target) throws {
            let values = [48] + (1...50).map(Double.init)
            let matrix = try target.diagonal(values)
            for seed in 0..<12 {
                let found = try Eigenpairs.largest(
                    4, of: matrix, EigenpairOptions(missRisk: 1e-3, seed: UInt64(seed)))
                #expect(mismatch(found.values, [50, 49, 48, 48], tolerance: 1e-9) == nil, "\(seed)")
                #expect(found.missRisk <= 1e-3)
            }
        }

        /// As many as there are, more than half, and more than there are.
        @Test(arguments: TestDevices.targets)
        func wholeSpectra(_ target: Target) throws {
            for n in [1, 2, 9, 24] {
                let elements = symmetric(n, seed: 5)
                let exact = try HostLinearAlgebra.symmetricEigenvalues(elements, n)
                let scale = exact.reduce(0) { max($0, abs($1)) }
                let matrix = try target.matrix(elements)
                for (count, end) in [
                    (n / 2 + 1, SpectrumEnd.both), (n, .largest), (n, .smallest), (n + 3, .both),
                ] {
                    let found = try Eigenpairs.find(end, count, of: matrix)
                    let wanted = Self.expected(end, min(count, n), exact)
                    let error = Self.error(found, wanted, scale: scale)
                    #expect(error < target.tolerance(2e-6, 1e-13), "\(count) of \(n): \(error)")
                    #expect(found.isConverged && found.isComplete)
                }
            }
            let identity = try Eigenpairs.find(
                .both, 7, of: target.diagonal([Double](repeating: 2, count: 7)))
            #expect(identity.values.allSatisfy { abs($0 - 2) < 1e-6 } && identity.values.count == 7)
            #expect(try Eigenpairs.find(.both, 0, of: target.diagonal([1, 2])).values == [])
        }

        @Test(arguments: TestDevices.targets)
        func noOperatorAtAll(_ target: Target) throws {
            let zero = try target.diagonal([Double](repeating: 0, count: 12))
            for end in SpectrumEnd.allCases {
                let found = try Eigenpairs.find(end, 4, of: zero)
                #expect(found.values == [0, 0, 0, 0] && found.residuals == [0, 0, 0, 0])
                #expect(found.isConverged && found.isComplete && found.errors.allSatisfy { $0.bound == 0 })
            }
            let error = #expect(throws: BackendError.self) {
                try Eigenpairs.find(.both, 2, of: target.diagonal([1, .nan, 2]))
            }
            #expect(error?.kind == .device && error?.description.contains("not finite") == true)
        }

        /// The accuracy is relative to the operator.
        @Test(arguments: TestDevices.targets, [1e-12, 1e-5, 1e5, 1e12])
        func scales(_ target: Target, _ factor: Double) throws {
            let elements = symmetric(60, seed: 2)
            let exact = try HostLinearAlgebra.symmetricEigenvalues(elements, 60)
            let scaled = try ScaledOperator(factor, target.matrix(elements))
            for end in SpectrumEnd.allCases {
                let found = try Eigenpairs.find(end, 4, of: scaled)
                let wanted = Self.expected(end, 4, exact).map { $0 * factor }
                let error = Self.error(found, wanted, scale: factor * exact[59])
                #expect(error < target.tolerance(2e-6, 1e-12), "\(end): \(error)")
                #expect(found.isConverged)
            }
        }

        /// The small end beside a value of 1e4: residuals go down to the operator's rounding, and so do values that differ by
        /// more than it.
        @Test(arguments: TestDevices.targets)
        func aHugeOutlier(_ target: Target) throws {
            let floor = 16 * target.precision.epsilon * 1e4
            let bulk = (0..<100).map { 0.1 * Double($0) / 100 }
            for small in [[-3e-3, -2e-3, -1e-3], [-0.3, -0.2, -0.1]] {
                let values = [1e4] + small + bulk
                let matrix = try target.diagonal(values)
                let found = try Eigenpairs.find(.smallest, 3, of: matrix)
                #expect(found.isConverged && found.residuals.allSatisfy { $0 <= floor })
                for (value, exact) in zip(found.values, small) {
                    #expect(value > exact - floor && values.contains { abs($0 - value) < floor })
                    if target.precision == .float64 || small[0] < -0.1 {
                        #expect(abs(value - exact) < floor, "\(value)")
                    }
                }
                let ends = try Eigenpairs.find(.both, 4, of: matrix)
                #expect(abs(ends.values[0] / 1e4 - 1) < target.tolerance(1e-6, 1e-13))
                #expect(ends.isConverged && abs(ends.values[3] - small[0]) < floor)
            }
        }

        /// An end that is zero up to rounding, in a bulk that goes down to it: no digit of it can be had, but that it is nothing.
        @Test(arguments: TestDevices.exactTargets)
        func anEndAtZero(_ target: Target) throws {
            let values = (0..<400).map { exp(-Double($0) / 12) }
            let matrix = try target.diagonal(values)
            func found(_ floor: Double) throws -> Eigenpairs {
                try Eigenpairs.find(
                    .smallest, 1, of: matrix,
                    EigenpairOptions(tolerance: 1e-2, floor: floor, basis: 60, products: 350))
            }
            #expect(try !found(0).isConverged)
            let found = try found(1e-5)
            #expect(found.isConverged, "\(found.applications)")
            #expect(abs(found.values[0]) < 1e-4 && found.residuals[0] <= 1e-5 * found.norm)
        }

        /// The certificate: every interval holds an eigenvalue, every bound holds the error, and quadratic bounds are smaller.
        @Test(arguments: TestDevices.targets)
        func errorBounds(_ target: Target) throws {
            let values = (0..<60).map { Double($0 * $0) / 60 }
            let matrix = try target.diagonal(values)
            for end in SpectrumEnd.allCases {
                for tolerance in [1e-1, 1e-3, 1e-6] {
                    let found = try Eigenpairs.find(
                        end, 5, of: matrix, EigenpairOptions(tolerance: tolerance))
                    let wanted = Self.expected(end, 5, values)
                    for (index, error) in found.errors.enumerated() {
                        #expect(values.contains { error.interval.contains(target.rounded($0)) })
                        // A rough residual may be that of a neighbour.
                        let meant = error.isQuadratic ? [wanted[index]] : values
                        let off = meant.map { abs(found.values[index] - target.rounded($0)) }.min()!
                        #expect(off <= error.bound, "\(off) \(error)")
                        let radius = found.residuals[index] + 32 * target.precision.epsilon * found.norm
                        #expect(error.isQuadratic ? error.bound < radius : error.bound == radius)
                    }
                    if tolerance == 1e-3 { #expect(found.errors[1].isQuadratic) }
                }
            }
        }
    }
}

extension Target {
    /// A number as the device holds it.
    func rounded(_ value: Double) -> Double { precision == .float32 ? Double(Float(value)) : value }
}
