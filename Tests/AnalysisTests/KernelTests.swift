import Analysis
import TestSupport
import Testing

extension OnDevices {
    /// Kernels of networks against explicit Jacobians.
    @Suite struct KernelTests {
        private static let models: [[String]] = [
            [
                "conv: {filters: 3, kernel: 3, padding: 1}", "batch-norm", "gelu",
                "conv: {filters: 2, kernel: 2, stride: 2}", "layer-norm", "tanh", "flatten", "dense: 3",
            ],
            [
                "normalize: {mean: [0.1, 0.2], std: [0.5, 2]}",
                "residual: {body: [conv: {filters: 2, kernel: 3, padding: 1, bias: false}, batch-norm]}",
                "max-pool: {kernel: 3, stride: 2, padding: 1}", "softplus", "global-average-pool",
                "dense: {units: 4, parametrization: ntk, weight-std: 1.5, bias-std: 0.1}", "erf", "dense: 2",
            ],
        ]

        private func check(
            _ found: (kernel: KernelMatrix, costs: [KernelCost]), _ expected: [Double], _ target: Target,
            _ label: String
        ) {
            let problem = mismatch(found.kernel.elements, expected, tolerance: target.tolerance(2e-6, 1e-13))
            #expect(problem == nil, "\(label): \(problem ?? "")")
        }

        @Test(arguments: TestDevices.targets, [0, 1])
        func againstJacobians(_ target: Target, _ model: Int) throws {
            let problem = try Problem("[2, 4, 4]", Self.models[model], count: 7, seed: 3, .mse)
            let full = Jacobian(problem).kernel()
            let trace = traced(full, outputs: problem.network.outputs, columns: 7)
            // Batches that do not divide 7; budgets for all, three and one sample in a tile.
            let sample = problem.network.outputs * problem.network.layout.count * target.precision.bytes
            for batchSize in [1, 2, 3, 5, 7, 64] {
                for memory in [1 << 30, 6 * sample, 1] where memory > 1 || batchSize == 3 {
                    let label = "batch \(batchSize), memory \(memory)"
                    check(
                        try problem.ntk(target, .full, batchSize: batchSize, memory: memory), full, target,
                        label)
                    check(
                        try problem.ntk(target, .trace, batchSize: batchSize, memory: memory), trace, target,
                        label)
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func betweenTwoSets(_ target: Target) throws {
            let problem = try Problem("[2, 4, 4]", Self.models[0], count: 5, seed: 4, .mse)
            var random = TestRandom(seed: 5)
            let sample = problem.network.outputs * problem.network.layout.count * target.precision.bytes
            for count in [1, 3, 8] {
                let others = random.values(count * 32)
                let full = Jacobian(problem).kernel(others: others)
                let trace = traced(full, outputs: 3, columns: count)
                for (batchSize, memory) in [(2, 1 << 30), (4, 4 * sample), (100, 4 * sample), (3, 1)] {
                    let label = "\(count) others, batch \(batchSize), memory \(memory)"
                    let found = try problem.ntk(
                        target, .full, batchSize: batchSize, memory: memory, others: others)
                    #expect((found.kernel.rows, found.kernel.columns) == (15, 3 * count))
                    check(found, full, target, label)
                    check(
                        try problem.ntk(target, .trace, batchSize: batchSize, memory: memory, others: others),
                        trace, target, label)
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func exactlySymmetric(_ target: Target) throws {
            let problem = try Problem("[2, 4, 4]", Self.models[0], count: 7, seed: 3, .mse)
            let k = try problem.ntk(target, .full, batchSize: 3, memory: 20_000).kernel
            for i in 0..<k.rows {
                for j in 0..<i { #expect(k.elements[i * k.rows + j] == k.elements[j * k.rows + i]) }
            }
            #expect(try k.eigenvalues()[0] > -1e-5 * k.trace)
        }

        @Test func distances() {
            let k = KernelMatrix([2, 1, 1, 3], rows: 2, columns: 2)
            let scaled = KernelMatrix(k.elements.map { $0 * 1e-7 }, rows: 2, columns: 2)
            #expect(abs(KernelMatrix.distance(k, scaled)) < 1e-15)
            #expect(k.trace == 5 && k.frobenius == 15.0.squareRoot())
            let left = KernelMatrix([1, 0, 0, 0], rows: 2, columns: 2),
                right = KernelMatrix([0, 0, 0, 1], rows: 2, columns: 2)
            #expect(KernelMatrix.distance(left, right) == 1)
            let both = KernelMatrix([1, 0, 0, 1], rows: 2, columns: 2)
            #expect(abs(KernelMatrix.distance(left, both) - (1 - 0.5.squareRoot())) < 1e-15)
            let path = KernelTrajectory([(0, left), (0.5, both), (2.5, right)])
            #expect(path.times == [0, 0.5, 2.5])
            #expect(path.distancesFromStart[2] == 1)
            #expect(abs(path.velocities[0] - 2 * (1 - 0.5.squareRoot())) < 1e-15)
            #expect(abs(path.velocities[1] - 0.5 * (1 - 0.5.squareRoot())) < 1e-15)
        }
    }
}
