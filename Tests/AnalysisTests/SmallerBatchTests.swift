import Analysis
import Backend
import Planner
import Synchronization
import TestSupport
import Testing

extension OnDevices {
    /// Batches that do not fit are made smaller, and that is told; results stay.
    @Suite struct SmallerBatchTests {
        private static let layers = ["conv: {filters: 2, kernel: 3}", "tanh", "flatten", "dense: 3"]
        private static let samples = 11

        private func values(_ backend: LimitedBackend, _ precision: Precision, batchSize: Int) throws
            -> [[Double]]
        {
            let problem = try Problem(
                "[1, 5, 5]", Self.layers, count: Self.samples, seed: 2, .crossEntropy)
            let risk = try problem.risk(on: backend, precision, batchSize: batchSize)
            let gradient = try risk.space.vector()
            let direction = (0..<risk.space.dimension).map { Double($0 % 5) - 2 }
            return [
                [try risk.loss(), try risk.gradient(into: gradient.all)],
                try backend.download(gradient.all),
                try CurvatureOperator(.hessian, of: risk).apply(direction),
                try CurvatureOperator(.gaussNewton, of: risk).apply(direction),
            ]
        }

        @Test(arguments: TestDevices.targets, [false, true])
        func resultsStay(_ target: Target, refusesLate: Bool) throws {
            // As much memory as batches of three need.
            let roomy = LimitedBackend(try target.open(), freeMemory: 0)
            let expected = try values(roomy, target.precision, batchSize: 3)
            let tight = LimitedBackend(try target.open(), freeMemory: 0)
            if refusesLate {
                tight.largestRun = roomy.largestArena
            } else {
                tight.largestCompiled = roomy.largestArena
            }
            let (found, lines) = try listening {
                try values(tight, target.precision, batchSize: Self.samples)
            }
            for (a, b) in zip(found, expected) {
                #expect(mismatch(a, b, tolerance: target.tolerance(5e-6, 1e-13)) == nil)
            }
            #expect(lines.contains { $0.contains("going on with 3 samples at a time") }, "\(lines)")
            #expect(lines.count <= 2, "\(lines)")
        }

        @Test(arguments: TestDevices.selectors)
        func nothingFits(_ selector: String) throws {
            let backend = LimitedBackend(try Devices.open(selector).backend, freeMemory: 0)
            backend.largestCompiled = 100
            var error: BackendError?
            let (_, lines) = listening {
                error = #expect(throws: BackendError.self) {
                    try values(backend, .float32, batchSize: 4)
                }
            }
            #expect(error?.kind == .outOfMemory && "\(error!)".contains("asked for"))
            #expect(lines == [])
        }

        /// A sum that found no memory is made anew by the next call.
        @Test(arguments: TestDevices.selectors)
        func aFailureIsNotTheEnd(_ selector: String) throws {
            let backend = LimitedBackend(try Devices.open(selector).backend, freeMemory: 0)
            let problem = try Problem(
                "[1, 5, 5]", Self.layers, count: Self.samples, seed: 2, .crossEntropy)
            let risk = try problem.risk(on: backend, .float32, batchSize: Self.samples)
            let expected = try risk.loss()
            (backend.largestRun, backend.largestCompiled) = (0, 0)
            for _ in 0..<2 { #expect(throws: BackendError.self) { try risk.loss() } }
            (backend.largestRun, backend.largestCompiled) = (.max, .max)
            #expect(abs(try risk.loss() - expected) < 1e-6)
        }

        /// Other errors are no matter of batch sizes.
        @Test(arguments: TestDevices.selectors)
        func otherErrorsAreThrown(_ selector: String) throws {
            let backend = try Devices.open(selector).backend
            var sizes: [Int] = []
            #expect(throws: BackendError.self) {
                _ = try SmallerBatches.fit(8, on: backend) { size throws(BackendError) in
                    sizes.append(size)
                    throw BackendError(.device, "lost")
                }
            }
            #expect(sizes == [8])
            sizes = []
            #expect(throws: BackendError.self) {
                _ = try SmallerBatches.fit(11, on: backend) { size throws(BackendError) in
                    sizes.append(size)
                    throw BackendError(.outOfMemory, "full")
                }
            }
            #expect(sizes == [11, 6, 3, 2, 1])
        }

        @Test func arraysHoldAllSizes() {
            #expect(SmallerBatches.rows(for: 11, batchSize: 11) == 12)
            #expect(SmallerBatches.rows(for: 100, batchSize: 100) == 105)
            #expect(SmallerBatches.rows(for: 128, batchSize: 64) == 128)
            #expect(SmallerBatches.rows(for: 5, batchSize: 4) == 8)
        }

        private func listening<Result>(_ body: () throws -> Result) rethrows -> (Result, [String]) {
            let lines = Lines()
            Notice.listen { lines.add($0) }
            defer { Notice.listen(nil) }
            let result = try body()
            // Tests of other modules run beside these, with batches of 20 and 10.
            return (
                result,
                lines.all.filter { line in
                    [11, 6, 4].contains { line.hasPrefix("batches of \($0) ") }
                }
            )
        }
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
