import Analysis
import Backend
import Planner
import TestSupport
import Testing

extension OnDevices {
    /// Several products at once are the products one after the other.
    @Suite struct BlockTests {
        static let networks: [(input: String, layers: [String])] = [
            ("[6]", ["dense: 7", "gelu", "layer-norm", "dense: 5", "relu", "dense: 3"]),
            (
                "[2, 7, 7]",
                [
                    "conv: {filters: 4, kernel: 3, stride: 2, padding: 1}", "relu", "max-pool: 2",
                    "conv: {filters: 3, kernel: 2, padding: 1}", "tanh", "flatten", "dense: 3",
                ]
            ),
            (
                "[1, 4, 4]",
                [
                    "conv: {filters: 2, kernel: 3, padding: 1}", "batch-norm", "gelu",
                    "residual: {body: [conv: {filters: 4, kernel: 3, stride: 2, padding: 1}, batch-norm, relu], "
                        + "shortcut: [conv: {filters: 4, kernel: 1, stride: 2}]}",
                    "average-pool: 2", "flatten", "dense: 3",
                ]
            ),
        ]

        /// Five vectors are a block and one more; with all values held, some and none, in one batch and in three.
        @Test(arguments: TestDevices.targets, 0..<3)
        func blocksAreProducts(_ target: Target, network: Int) throws {
            let problem = try Problem(
                Self.networks[network].input, Self.networks[network].layers, count: 40, seed: 3, .crossEntropy
            )
            for (batchSize, freeMemory) in [(40, 1 << 40), (16, 1 << 40), (16, 50_000), (16, 0)] {
                let backend = LimitedBackend(try target.open(), freeMemory: freeMemory)
                let risk = try problem.risk(on: backend, target.precision, batchSize: batchSize)
                var random = TestRandom(seed: 8)
                let vectors = (0..<5).map { _ in random.values(risk.space.dimension) }
                let products: [any LinearOperator] = [
                    try CurvatureOperator(.hessian, of: risk), try CurvatureOperator(.gaussNewton, of: risk),
                ]
                // How much is held is decided by now.
                backend.freeMemory = 1 << 40
                for product in products {
                    let singles = try vectors.map { try product.apply($0) }
                    let before = backend.runs
                    let found = try product.apply(vectors)
                    // One pass for four vectors and one for the last.
                    #expect(backend.runs - before <= 2 * risk.data.batchCount)
                    for (a, b) in zip(found, singles) {
                        #expect(mismatch(a, b, tolerance: target.tolerance(5e-6, 1e-13)) == nil)
                    }
                }
            }
        }

        /// Where memory is short, blocks are smaller, or there are none.
        @Test(arguments: TestDevices.selectors)
        func blocksAreALuxury(_ selector: String) throws {
            let problem = try Problem(
                Self.networks[0].input, Self.networks[0].layers, count: 40, seed: 3, .crossEntropy)
            var random = TestRandom(seed: 8)
            let vectors = (0..<4).map { _ in random.values(problem.network.layout.count) }
            var passes: [Int] = [], results: [[[Double]]] = [], freeMemory = 1 << 40
            for _ in 0..<3 {
                let backend = LimitedBackend(try Devices.open(selector).backend, freeMemory: 0)
                let product = try CurvatureOperator(.hessian, of: problem.risk(on: backend, .float32))
                _ = try product.apply(vectors[0])
                let before = backend.runs
                backend.freeMemory = freeMemory
                results.append(try product.apply(vectors))
                passes.append(backend.runs - before)
                // A block may take half of it: too little for a block of four, then for any.
                freeMemory = freeMemory == 1 << 40 ? 2 * backend.largestPeak - 2 : 0
            }
            #expect(passes == [1, 2, 4])
            for other in results.dropFirst() {
                for (a, b) in zip(other, results[0]) { #expect(mismatch(a, b, tolerance: 5e-6) == nil) }
            }
        }

        /// How many vectors come first decides nothing for later calls.
        @Test(arguments: TestDevices.selectors, 1...3)
        func blocksDoNotHangOnTheFirstCall(_ selector: String, first: Int) throws {
            let problem = try Problem(
                Self.networks[0].input, Self.networks[0].layers, count: 40, seed: 3, .crossEntropy)
            let backend = LimitedBackend(try Devices.open(selector).backend, freeMemory: 1 << 40)
            let product = try CurvatureOperator(.hessian, of: problem.risk(on: backend, .float32))
            var random = TestRandom(seed: 8)
            let vectors = (0..<4).map { _ in random.values(product.dimension) }
            _ = try product.apply(Array(vectors.prefix(first)))
            let before = backend.runs
            _ = try product.apply(vectors)
            #expect(backend.runs - before == 1)
        }

        /// Many weights and few samples: a block would move more than it saves.
        @Test(arguments: TestDevices.selectors)
        func blocksPayOrAreLeft(_ selector: String) throws {
            let backend = LimitedBackend(try Devices.open(selector).backend)
            let problem = try Problem(
                "[64]", ["dense: 64", "tanh", "dense: 3"], count: 2, seed: 3, .crossEntropy)
            let product = try CurvatureOperator(.hessian, of: problem.risk(on: backend, .float32))
            var random = TestRandom(seed: 8)
            let vectors = (0..<4).map { _ in random.values(product.dimension) }
            _ = try product.apply(vectors[0])
            let before = backend.runs, compiled = backend.compiled
            _ = try product.apply(vectors)
            #expect(backend.runs - before == 4)
            #expect(backend.compiled == compiled, "a block that does not pay is not compiled")
        }

        /// Probes in blocks give the numbers of probes one by one.
        @Test(arguments: TestDevices.exactTargets)
        func estimatesDoNotDependOnBlocks(_ target: Target) throws {
            let problem = try Problem(
                Self.networks[1].input, Self.networks[1].layers, count: 40, seed: 3, .crossEntropy)
            let hessian = try CurvatureOperator(.hessian, of: problem.risk(target, batchSize: 16))
            let single = SingleProducts(hessian)
            #expect(hessian.blockSize > 1 && single.blockSize == 1)
            let operators: [any LinearOperator] = [hessian, single]
            let traces = try operators.map { try TraceEstimate.hutchinson($0, probes: 6, seed: 1) }
            #expect(abs(traces[0].mean - traces[1].mean) < 1e-12 * abs(traces[1].mean))
            #expect(abs(traces[0].standardError - traces[1].standardError) < 1e-11 * traces[1].standardError)
            let densities = try operators.map {
                try SpectralDensity.estimate($0, steps: 6, probes: 6, seed: 1)
            }
            #expect(densities[0].probes == densities[1].probes)
            #expect(mismatch(densities[0].nodes, densities[1].nodes, tolerance: 1e-11) == nil)
            #expect(mismatch(densities[0].weights, densities[1].weights, tolerance: 1e-10) == nil)
        }

        /// Probes that end early, in an invariant subspace, leave the others their blocks.
        @Test(arguments: TestDevices.exactTargets)
        func probesMayEndEarly(_ target: Target) throws {
            let inner = try target.diagonal([1, 1, 1, 2, 2, 2, 2])
            let block = SingleProducts(inner, blockSize: 3)
            let density = try SpectralDensity.estimate(block, steps: 5, probes: 4, seed: 2)
            #expect(block.asked == [3, 3, 1, 1])
            #expect(density.probes.map(\.count) == [2, 2, 2, 2])
        }
    }
}

/// An operator's products one by one, and how many were asked for at once.
private final class SingleProducts: LinearOperator {
    private let inner: any LinearOperator
    let blockSize: Int
    private(set) var asked: [Int] = []

    init(_ inner: any LinearOperator, blockSize: Int = 1) {
        (self.inner, self.blockSize) = (inner, blockSize)
    }

    var dimension: Int { inner.dimension }
    var space: VectorSpace { inner.space }
    func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try inner.apply(vector, into: result)
    }
    func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        asked.append(vectors.count)
        for (vector, result) in zip(vectors, results) { try inner.apply(vector, into: result) }
    }
}

extension LinearOperator {
    /// Products with vectors of the host, asked for together.
    fileprivate func apply(_ vectors: [[Double]]) throws -> [[Double]] {
        let given = try vectors.map { try space.backend.upload($0, space.precision) }
        let results = try vectors.map { _ in try space.vector() }
        try apply(given.map(\.all), into: results.map(\.all))
        return try results.map { try space.backend.download($0.all) }
    }
}
