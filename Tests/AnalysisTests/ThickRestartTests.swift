import Backend
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Searches in few vectors.
    @Suite struct ThickRestartTests {
        private static let ladder = (1...150).map(Double.init)

        @Test(arguments: TestDevices.targets)
        func laddersInThirtyRows(_ target: Target) throws {
            let matrix = try target.diagonal(Self.ladder)
            for end in SpectrumEnd.allCases {
                let wanted = EigenpairTests.expected(end, 5, Self.ladder)
                let whole = try Eigenpairs.find(end, 5, of: matrix, EigenpairOptions(basis: 150))
                let found = try Eigenpairs.find(end, 5, of: matrix, EigenpairOptions(basis: 30))
                #expect(whole.restarts == 0 && found.restarts > 2)
                #expect(found.isConverged && found.isComplete)
                for pairs in [whole, found] {
                    #expect(EigenpairTests.error(pairs, wanted, scale: 150) < target.tolerance(1e-6, 1e-12))
                }
                // What comes after it looks for copies.
                let (few, all) = (
                    found.applications - found.checkApplications, whole.applications - whole.checkApplications
                )
                #expect(Double(few) < 1.15 * Double(all))
            }
        }

        @Test(arguments: TestDevices.exactTargets, [1, 2, 4])
        func blocks(_ target: Target, _ blockSize: Int) throws {
            let inner = try target.diagonal(Self.ladder)
            let matrix = CountingOperator(inner)
            let found = try Eigenpairs.find(
                .both, 6, of: matrix, EigenpairOptions(basis: 40, blockSize: blockSize))
            let wanted = EigenpairTests.expected(.both, 6, Self.ladder)
            #expect(EigenpairTests.error(found, wanted, scale: 150) < 1e-12)
            #expect(found.applications == matrix.products, "products are counted")
            #expect(matrix.widest == blockSize)
            #expect(found.restarts > 0)
        }

        /// Locked, kept and new vectors are orthonormal after restarts, and the factorisation still holds.
        @Test(arguments: TestDevices.targets, [1, 3])
        func theRelationSurvivesRestarts(_ target: Target, _ width: Int) throws {
            let n = 60, elements = symmetric(60, seed: 3)
            let matrix = try target.matrix(elements)
            let lanczos = try BlockLanczos(
                matrix, avoiding: [RowStore(matrix.space)], blockRows: width, norm: 0)
            var random = TestRandom(seed: 4)
            try lanczos.fill(to: width) { () throws(BackendError) in random.values(n) }
            for _ in 0..<3 {
                while lanczos.basis.count < 24 { _ = try lanczos.step() }
                let ritz = try lanczos.ritz()
                let kept = Array(ritz.values.indices.suffix(9))
                try lanczos.restart(with: kept.map { ritz.values[$0] }, kept.map { ritz.vectors[$0] })
            }
            _ = try lanczos.step()
            let m = lanczos.basis.count, backend = matrix.space.backend
            let v = try (0..<m).map { try backend.download(lanczos.basis.row($0)) }
            let q = try lanczos.coupling.indices.map {
                try backend.download(matrix.space.row($0, of: lanczos.block))
            }
            let tolerance = target.tolerance(2e-5, 1e-13)
            for (i, a) in (v + q).enumerated() {
                for (j, b) in (v + q).enumerated() {
                    #expect(abs(dot(a, b) - (i == j ? 1 : 0)) < tolerance, "\(i) \(j)")
                }
            }
            for i in 0..<m {
                let image = try matrix.apply(v[i])
                let expected = (0..<n).map { k in
                    v.indices.reduce(0) { $0 + lanczos.projected[i][$1] * v[$1][k] }
                        + q.indices.reduce(0) { $0 + lanczos.coupling[$1][i] * q[$1][k] }
                }
                #expect(mismatch(image, expected, tolerance: tolerance) == nil)
                let kept = try backend.download(try #require(lanczos.images).row(i))
                #expect(mismatch(kept, image, tolerance: tolerance) == nil, "the product is kept")
            }
        }

        /// A spectrum that falls off fast makes couplings small, so that one pass of Gram-Schmidt would not do.
        @Test(arguments: TestDevices.targets, [1, 2])
        func theBasisStaysOrthonormal(_ target: Target, _ width: Int) throws {
            let n = 60
            let values = (0..<n).reduce(into: [1.0]) { list, _ in list.append(list.last! * 0.4) }.prefix(n)
            let matrix = try target.diagonal(Array(values))
            let lanczos = try BlockLanczos(
                matrix, avoiding: [RowStore(matrix.space)], blockRows: width, norm: 0)
            var random = TestRandom(seed: 4)
            try lanczos.fill(to: width) { () throws(BackendError) in random.values(n) }
            while !lanczos.coupling.isEmpty { _ = try lanczos.step() }
            let m = lanczos.basis.count
            #expect(m > 8 && m < n, "\(m) vectors")
            let rows = try (0..<m).map { try matrix.space.backend.download(lanczos.basis.row($0)) }
            for i in 0..<m {
                for j in 0...i {
                    let error = abs(dot(rows[i], rows[j]) - (i == j ? 1 : 0))
                    #expect(error < target.tolerance(3e-6, 1e-14), "vectors \(i) and \(j): \(error)")
                }
            }
        }

        /// Columns of a block that depend on each other are dropped and replaced.
        @Test(arguments: TestDevices.targets)
        func dependentColumns(_ target: Target) throws {
            let matrix = try target.diagonal([9, 7, 7, 7, 1, 1, 1, 1, 1, 1, 1, 1])
            let found = try Eigenpairs.largest(5, of: matrix, EigenpairOptions(blockSize: 4))
            #expect(
                mismatch(found.values, [9, 7, 7, 7, 1], tolerance: target.tolerance(1e-6, 1e-13)) == nil)
            #expect(found.applications <= 12 + 5)
        }

        /// A vector that lies in the span of those found is refused.
        @Test(arguments: TestDevices.targets)
        func ghostsAreRefused(_ target: Target) throws {
            let space = try target.diagonal([1, 2, 3]).space
            let locked = LockedPairs(space)
            let vectors = try [[1, 0, 0], [0.1, 1, 0], [0, 1, 0]].map {
                try space.backend.upload($0, space.precision)
            }
            #expect(try vectors.map { try locked.append($0.all, 1, 0) } == [true, false, true])
            #expect(locked.count == 2)
        }

        /// With little memory the basis is small, and the answer the same.
        @Test(arguments: TestDevices.targets)
        func littleMemory(_ target: Target) throws {
            let n = Self.ladder.count, row = n * target.precision.bytes
            let elements = (0..<n * n).map { $0 % (n + 1) == 0 ? Self.ladder[$0 / (n + 1)] : 0 }
            var restarts: [Int] = []
            for freeMemory in [1 << 40, 2 * row * 128, 0] {
                let backend = LimitedBackend(try target.open(), freeMemory: freeMemory)
                let matrix = try DenseOperator(elements, n, on: backend, target.precision)
                let found = try Eigenpairs.largest(2, of: matrix)
                #expect(
                    mismatch(found.values, [150, 149], tolerance: target.tolerance(1e-6, 1e-12)) == nil)
                #expect(found.isConverged)
                restarts.append(found.restarts)
            }
            #expect(restarts[0] <= restarts[1] && restarts[1] < restarts[2], "\(restarts)")
        }

        /// More values than the basis has vectors: found values make room for others.
        @Test(arguments: TestDevices.exactTargets)
        func moreValuesThanRows(_ target: Target) throws {
            let values = (1...40).map(Double.init)
            let found = try Eigenpairs.find(
                .both, 14, of: target.diagonal(values), EigenpairOptions(basis: 10))
            let wanted = EigenpairTests.expected(.both, 14, values)
            #expect(EigenpairTests.error(found, wanted, scale: 40) < 1e-11, "\(found.values)")
            #expect(found.isConverged && found.isComplete)
        }

        /// A limit ends the search with the best there is.
        @Test(arguments: TestDevices.targets)
        func limits(_ target: Target) throws {
            let matrix = try target.diagonal(Self.ladder)
            for options in [
                EigenpairOptions(basis: 20, restarts: 1), EigenpairOptions(products: 25),
                EigenpairOptions(steps: 25),
            ] {
                let found = try Eigenpairs.largest(3, of: matrix, options)
                #expect(!found.isConverged && !found.isComplete && found.missRisk == 1)
                #expect(found.values.count == 3 && found.applications <= 40)
                for (value, residual) in zip(found.values, found.residuals) {
                    #expect(Self.ladder.contains { abs($0 - value) <= residual })
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func progressIsTold(_ target: Target) throws {
            var told: [EigenpairProgress] = []
            let found = try Eigenpairs.find(
                .smallest, 2, of: target.diagonal(Self.ladder), EigenpairOptions(basis: 30),
                progress: { told.append($0) })
            #expect(told == found.history && told.count > 3)
            #expect(zip(told, told.dropFirst()).allSatisfy { $0.products <= $1.products })
            let last = told.last!
            #expect(last.locked == 2 && last.restarts == found.restarts)
            #expect(last.products == found.applications)
            #expect(told.first!.bounds[0] > 1 && last.bounds.allSatisfy { $0 < 0.01 })
        }
    }
}

/// Another operator's products, counted; it fails when they are spent.
final class CountingOperator: LinearOperator {
    private let inner: any LinearOperator
    /// Products made, most at once, and how many are allowed.
    private(set) var products = 0, widest = 0
    var allowed = Int.max

    init(_ inner: any LinearOperator) { self.inner = inner }

    var dimension: Int { inner.dimension }
    var space: VectorSpace { inner.space }
    func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try apply([vector], into: [result])
    }
    func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        products += vectors.count
        widest = max(widest, vectors.count)
        if products > allowed { throw BackendError(.device, "the plug was pulled") }
        for (vector, result) in zip(vectors, results) { try inner.apply(vector, into: result) }
    }
}
