import Analysis
import TestSupport
import Testing

extension OnDevices {
    /// The kernel of a small ReLU network, worked out by hand: whole numbers, exact in float32.
    @Suite struct ExactKernelTests {
        private func problem() throws -> Problem {
            try Problem(
                "[2]", ["dense: 3", "relu", "dense: 2"],
                weights: [1, -2, 3, 1, -1, 1, 0, 1, -1, 1, 2, -1, 0, -1, 3, 0, 0],
                inputs: [1, 1, 2, -1, -1, 1],
                targets: [], .mse)
        }

        private let full: [Double] = [
            38, -6, 39, -4, 1, 0, -6, 29, -4, 33, 0, 1, 39, -4, 83, -12, 1, 0, -4, 33, -12, 59, 0, 1, 1, 0, 1,
            0,
            5, -9, 0, 1, 0, 1, -9, 29,
        ]
        private let trace: [Double] = [67, 72, 2, 72, 142, 2, 2, 2, 34]

        @Test(arguments: TestDevices.targets, [1, 2, 3, 100])
        func fullAndTrace(_ target: Target, batchSize: Int) throws {
            for memory in [1 << 30, 1] {
                let full = try problem().ntk(target, .full, batchSize: batchSize, memory: memory)
                #expect(full.kernel.elements == self.full)
                #expect((full.kernel.rows, full.kernel.columns) == (6, 6))
                let trace = try problem().ntk(target, .trace, batchSize: batchSize, memory: memory)
                #expect(trace.kernel.elements == self.trace)
                #expect(trace.kernel.trace == 243)
                #expect(trace.costs.map(\.layer) == ["0.weight", "0.bias", "2.weight", "2.bias"])
            }
        }

        @Test(arguments: TestDevices.targets)
        func denseWeightsUseTheirStructure(_ target: Target) throws {
            let algorithms = try problem().ntk(target, .full, batchSize: 3, algorithm: .denseStructure).costs
                .map(\.algorithm)
            #expect(algorithms == [.denseStructure, .denseStructure])
        }
    }
}
