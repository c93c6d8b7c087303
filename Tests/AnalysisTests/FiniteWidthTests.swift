import Analysis
import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Finite networks at initialisation against what is known of them.
    @Suite struct FiniteWidthTests {
        /// One hidden layer of n ReLU units, `σ_w = √2`, no bias, `|x|²·2/d = 1`: K(x, x) is (2/n)·Σ(u² + a²)[u > 0] with
        /// standard normal u and a, which has mean 2 and variance 12/n.
        @Test(arguments: TestDevices.targets.filter { $0.selector == "cpu" && $0.precision == .float64 })
        func meanAndVarianceOfOneHiddenLayer(_ target: Target) throws {
            let width = 24, seeds = 3000
            let layer = "dense: {bias: false, parametrization: ntk, weight-std: 1.4142135623730951, units: "
            var problem = try Problem(
                "[2]", [layer + "\(width)}", "relu", layer + "1}"], weights: [], inputs: [0.6, 0.8],
                targets: [],
                .mse)
            let values = try (0..<seeds).map { seed in
                problem.weights = Weights.initial(problem.network, seed: UInt64(seed))
                return try problem.ntk(target, .trace).kernel.elements[0]
            }
            let mean = values.reduce(0, +) / Double(seeds)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seeds - 1)
            let expected = 12 / Double(width)
            // Four standard errors; that of the variance for a normal distribution and half as much again.
            #expect(abs(mean - 2) < 4 * (expected / Double(seeds)).squareRoot())
            #expect(abs(variance / expected - 1) < 6 * (2 / Double(seeds)).squareRoot())
        }

        /// Networks of growing width come closer to the limit.
        @Test(arguments: TestDevices.targets.filter { $0.selector == "cpu" && $0.precision == .float64 })
        func wideNetworksApproachTheLimit(_ target: Target) throws {
            let problem = try Problem(
                "[3]",
                [
                    "dense: 8", "relu", "residual: {body: [dense: 8, erf, dense: 8], shortcut: [dense: 8]}",
                    "dense: 2",
                ], count: 4, seed: 5, .mse)
            let limit = try InfiniteNetwork(problem.network, weightStd: 1.2, biasStd: 0.3).kernels(
                problem.inputs
            ).ntk
            let size = limit.reduce(0) { $0 + $1 * $1 }.squareRoot()
            func distance(_ width: Int) throws -> Double {
                let network = try problem.network.widened(to: width, weightStd: 1.2, biasStd: 0.3)
                let total = try (0..<8).reduce(0.0) { sum, seed in
                    var wide = problem
                    wide.network = network
                    wide.weights = Weights.initial(network, seed: UInt64(seed))
                    let found = try wide.ntk(target, .mean).kernel.elements
                    return sum
                        + zip(found, limit).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
                }
                return total / 8 / size
            }
            let (narrow, wide) = (try distance(16), try distance(256))
            // A sixteenth of the variance: a quarter of the distance, within what eight networks can tell.
            #expect(wide < 0.4 * narrow && wide < 0.15)
        }
    }
}
