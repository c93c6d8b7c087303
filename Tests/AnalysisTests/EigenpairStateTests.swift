import Analysis
import Backend
import Foundation
import TestSupport
import Testing

extension OnDevices {
    /// Searches that are interrupted, and searches that start near the answer.
    @Suite struct EigenpairStateTests {
        private static let ladder = [77] + (1...80).map(Double.init)

        private func folder() -> String {
            NSTemporaryDirectory() + "landscape-eigen-\(UInt64.random(in: 0 ... .max))"
        }

        /// Whatever the moment of the interruption: between restarts, in the check of the complement, in the search for copies.
        @Test(arguments: TestDevices.targets, [SpectrumEnd.largest, .both])
        func interruptedSearchesEndWithTheSameBits(_ target: Target, _ end: SpectrumEnd) throws {
            let inner = try target.diagonal(Self.ladder)
            for (options, shares) in [
                (EigenpairOptions(basis: 24), [0.4, 0.7, 0.98]),
                (EigenpairOptions(basis: 24, blockSize: 2, saveEvery: 7), [0.2, 0.9]),
            ] {
                let whole = try Eigenpairs.find(end, 4, of: inner, options)
                let bits = try inner.space.backend.download(whole.vectors.all)
                for share in shares {
                    let folder = folder()
                    defer { try? FileManager.default.removeItem(atPath: folder) }
                    let matrix = CountingOperator(inner)
                    matrix.allowed = Int(share * Double(whole.applications))
                    var saves = 0
                    #expect(throws: BackendError.self) {
                        try Eigenpairs.find(
                            end, 4, of: matrix, options,
                            save: { state throws(BackendError) in
                                saves += 1
                                try state.write(to: folder)
                            })
                    }
                    #expect(saves > 0)
                    // The JSON, and the vectors it names.
                    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
                    let state = try #require(try EigenpairState.read(folder))
                    let before = matrix.products
                    matrix.allowed = .max
                    let found = try Eigenpairs.find(end, 4, of: matrix, options, resuming: state)
                    #expect(found.values == whole.values && found.residuals == whole.residuals)
                    #expect(found.applications == whole.applications)
                    #expect(found.history == whole.history && found.missRisk == whole.missRisk)
                    #expect(try inner.space.backend.download(found.vectors.all) == bits)
                    #expect(matrix.products - before < whole.applications, "it did not start anew")
                }
            }
        }

        /// Within the check of the complement, whether it ends or its products run out.
        @Test(arguments: TestDevices.targets, EigenpairAcceptance.allCases)
        func interruptedChecksEndWithTheSameBits(_ target: Target, _ acceptance: EigenpairAcceptance) throws {
            let inner = try target.diagonal([9, 8, 7, -5] + (0..<120).map { Double($0) / 200 })
            for limit in [Int.max, -1] {
                var options = EigenpairOptions(tolerance: 1e-4, acceptance: acceptance)
                let free = try Eigenpairs.find(.largest, 3, of: inner, options)
                #expect(free.checkApplications > 1 && free.isComplete)
                if limit < 0 { options.products = free.applications + limit }
                let whole = try Eigenpairs.find(.largest, 3, of: inner, options)
                #expect(whole.isComplete == (limit > 0))
                let folder = folder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let matrix = CountingOperator(inner)
                matrix.allowed = free.applications - 2
                #expect(throws: BackendError.self) {
                    try Eigenpairs.find(
                        .largest, 3, of: matrix, options,
                        save: { state throws(BackendError) in try state.write(to: folder) })
                }
                let state = try #require(try EigenpairState.read(folder))
                matrix.allowed = .max
                let found = try Eigenpairs.find(.largest, 3, of: matrix, options, resuming: state)
                #expect(found.values == whole.values && found.residuals == whole.residuals)
                #expect(found.applications == whole.applications && found.history == whole.history)
                #expect(found.missRisk == whole.missRisk && found.isConverged == whole.isConverged)
            }
        }

        @Test(arguments: TestDevices.exactTargets)
        func statesOfOtherSearchesAreRefused(_ target: Target) throws {
            let folder = folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            #expect(try EigenpairState.read(folder) == nil)
            let options = EigenpairOptions(basis: 24)
            let matrix = try target.diagonal(Self.ladder)
            _ = try Eigenpairs.find(
                .largest, 4, of: matrix, options,
                save: { state throws(BackendError) in try state.write(to: folder) })
            let state = try #require(try EigenpairState.read(folder))
            func refused(
                _ end: SpectrumEnd = .largest, _ count: Int = 4, _ matrix: any LinearOperator,
                _ options: EigenpairOptions
            ) -> String {
                let error = #expect(throws: BackendError.self) {
                    try Eigenpairs.find(end, count, of: matrix, options, resuming: state)
                }
                return error?.description ?? ""
            }
            #expect(refused(.smallest, 4, matrix, options).contains("end LA instead of SA"))
            #expect(refused(.largest, 3, matrix, options).contains("count 4 instead of 3"))
            #expect(refused(.largest, 4, matrix, EigenpairOptions(seed: 1)).contains("seed"))
            #expect(refused(.largest, 4, matrix, EigenpairOptions(blockSize: 2)).contains("block"))
            let byValue = EigenpairOptions(acceptance: .values)
            #expect(refused(.largest, 4, matrix, byValue).contains("acceptance"))
            let small = try target.diagonal([1, 2, 3, 4, 5])
            #expect(refused(.largest, 4, small, options).contains("dimension 81 instead of 5"))
            let narrow = try Target(target.selector, .float32).diagonal(Self.ladder)
            #expect(refused(.largest, 4, narrow, options).contains("precision"))
            // A damaged file is told by name.
            let name = try FileManager.default.contentsOfDirectory(atPath: folder).first {
                $0 != "state.json"
            }
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder + "/" + (try #require(name))))
            let error = #expect(throws: BackendError.self) { try EigenpairState.read(folder) }
            #expect(error?.description.contains("state.json") == true)
        }

        /// The exact vectors: one product each, and the search for copies.
        @Test(arguments: TestDevices.targets)
        func exactStarts(_ target: Target) throws {
            let values = [10, 9, 8, 7, 7, -8, -9, -9] + (0..<60).map { Double($0) / 60 }
            let matrix = try target.diagonal(values)
            for end in SpectrumEnd.allCases {
                let cold = try Eigenpairs.find(end, 5, of: matrix)
                let warm = try Eigenpairs.find(end, 5, of: matrix, start: cold.rows)
                #expect(warm.applications == 5 + warm.checkApplications)
                #expect(warm.isConverged && warm.isComplete && warm.applications < cold.applications)
                #expect(mismatch(warm.values, cold.values, tolerance: target.tolerance(1e-6, 1e-12)) == nil)
            }
        }

        /// On an operator that moved a little, the old vectors save products.
        @Test(arguments: TestDevices.targets)
        func movedOperators(_ target: Target) throws {
            let n = 300, noise = symmetric(300, seed: 7)
            let ladder = (0..<n * n).map { $0 % (n + 1) == 0 ? Double($0 / (n + 1)) : 0 }
            let still = try target.matrix(ladder)
            let before = try Eigenpairs.largest(5, of: still)
            // The norm of the noise is about 20.
            let moved = zip(ladder, noise).map { $0 + 0.01 / 20 * $1 }
            let matrix = try target.matrix(moved)
            let rows = try matrix.space.backend.upload(
                try still.space.backend.download(before.vectors.all), target.precision)
            let start = (0..<5).map { matrix.space.row($0, of: rows) }
            let cold = try Eigenpairs.largest(5, of: matrix)
            let warm = try Eigenpairs.find(.largest, 5, of: matrix, start: start)
            let exact = try HostLinearAlgebra.symmetricEigenvalues(moved, n)
            let wanted = EigenpairTests.expected(.largest, 5, exact)
            #expect(EigenpairTests.error(warm, wanted, scale: 300) < target.tolerance(1e-6, 1e-12))
            #expect(warm.isConverged && Double(warm.applications) < 0.9 * Double(cold.applications))
        }

        /// Vectors that are no help do no harm: too few, dependent, zero, of the wrong end.
        @Test(arguments: TestDevices.targets)
        func oddStarts(_ target: Target) throws {
            let matrix = try target.diagonal(Self.ladder)
            let backend = matrix.space.backend, n = Self.ladder.count
            func unit(_ index: Int) -> [Double] { (0..<n).map { $0 == index ? 1 : 0 } }
            let lists = [
                [unit(80), unit(80), unit(5)], [[Double](repeating: 0, count: n)],
                [unit(1), unit(2), unit(3), unit(4), unit(5)], [unit(70)],
            ]
            for list in lists {
                let rows = try list.map { try backend.upload($0, target.precision).all }
                let found = try Eigenpairs.find(.largest, 4, of: matrix, start: rows)
                #expect(
                    mismatch(found.values, [80, 79, 78, 77], tolerance: target.tolerance(1e-6, 1e-12)) == nil,
                    "\(found.values)")
                #expect(found.isConverged)
            }
        }
    }
}
