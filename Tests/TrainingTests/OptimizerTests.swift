import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Update rules against PyTorch 2.13 on the quadratic ½Σ aᵢ(wᵢ − cᵢ)², a = (1, 4, ½), c = (0, 1, −2).
    @Suite struct OptimizerTests {
        struct Rule: Sendable, CustomStringConvertible {
            let description: String
            let optimizer: Optimizer
            let rate: Double, decay: Double
            let path: [[Double]]
        }

        private static let rules = [
            Rule(
                description: "SGD", optimizer: .sgd(momentum: 0, isNesterov: false), rate: 0.1, decay: 0,
                path: [
                    [0.9, -0.2, 1.8], [0.81, 0.28, 1.61], [0.729, 0.568, 1.4295], [0.6561, 0.7408, 1.258025],
                    [0.59049, 0.84448, 1.09512375],
                ]),
            Rule(
                description: "momentum", optimizer: .sgd(momentum: 0.9, isNesterov: false), rate: 0.1,
                decay: 0,
                path: [
                    [0.9, -0.2, 1.8], [0.72, 1, 1.43], [0.486, 2.08, 0.9255], [0.2268, 2.62, 0.325175],
                    [-0.02916, 2.458, -0.33137625],
                ]),
            Rule(
                description: "Nesterov", optimizer: .sgd(momentum: 0.9, isNesterov: true), rate: 0.1,
                decay: 0,
                path: [
                    [0.81, 0.52, 1.62], [0.5751, 1.5328, 1.1141], [0.327321, 1.866592, 0.5258505],
                    [0.09388791, 1.70020288, -0.1033953475], [-0.1045816839, 1.3302716032, -0.7362307797375],
                ]),
            Rule(
                description: "weight decay", optimizer: .sgd(momentum: 0.9, isNesterov: false), rate: 0.1,
                decay: 0.05,
                path: [
                    [0.895, -0.195, 1.79], [0.706525, 1.008475, 1.40255],
                    [0.462712375, 2.083170125, 0.87670475], [0.194696213125, 2.606711836875, 0.25522526375],
                    [-0.066961434940625, 2.422181083628125, -0.41814366338125],
                ]),
            Rule(
                description: "Adam", optimizer: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), rate: 0.1,
                decay: 0,
                path: [
                    [0.900000001, -0.900000000125, 1.9000000005],
                    [0.8004122297123382, -0.8001664858630053, 1.8000739958343985],
                    [0.701586274504415, -0.7006233916636408, 1.700273845480227],
                    [0.603939062682108, -0.601504894774365, 1.6006532219135368],
                    [0.507963661927221, -0.5029557806460252, 1.5012675315085626],
                ]),
            Rule(
                description: "Adam with decay", optimizer: .adam(beta1: 0.8, beta2: 0.95, epsilon: 1e-3),
                rate: 0.05, decay: 0.1,
                path: [
                    [0.9500454132606722, -0.9500061720775212, 1.9500227169468423],
                    [0.9002178063684921, -0.9000713004984344, 1.900076084560697],
                    [0.8506091971697444, -0.8502360001116823, 1.8501805964326317],
                    [0.8013170842093854, -0.8005413765291719, 1.8003565672462942],
                    [0.752443915347192, -0.7510286072769874, 1.7506239054969357],
                ]),
        ]

        @Test(arguments: TestDevices.targets, rules)
        func path(_ target: Target, _ rule: Rule) throws {
            // Rows of X and y whose mean of ½(x·w − y)² is the quadratic; all exact in float32.
            let samples = Samples(
                inputs: [2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 1], targets: [0, 4, -2, -2], labels: [0, 0, 0, 0])
            let options = TrainingOptions(
                optimizer: rule.optimizer, schedule: Schedule(rate: rule.rate), weightDecay: rule.decay,
                epochs: 5, batchSize: 4, loss: .mse)
            let trainer = try target.trainer(
                try network("[3]", "dense: {units: 1, bias: false}"), options, samples,
                Weights(parameters: [1, -1, 2], state: []))
            for (step, expected) in rule.path.enumerated() {
                let found = try trainer.weights(after: 1).parameters
                let problem = mismatch(found, expected, tolerance: target.tolerance(3e-6, 1e-13))
                #expect(problem == nil, "\(rule), step \(step): \(problem ?? "")")
            }
        }
    }
}
