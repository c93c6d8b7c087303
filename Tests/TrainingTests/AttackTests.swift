import Backend
import Data
import Foundation
import Graph
import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Attacks against the closed forms of linear models.
    @Suite struct AttackTests {
        private static let attacks: [Attack] = Attack.Norm.allCases.flatMap { norm in
            [Attack.fgsm(norm, epsilon: 0.1), .pgd(norm, epsilon: 0.1, steps: 40, stepSize: 0.1)]
        }

        /// Two classes: the loss is log(1 + e^−m) with the margin m = (w_y − w_other)·x.
        @Test(arguments: TestDevices.targets, attacks)
        func linearModel(_ target: Target, _ attack: Attack) throws {
            let network = try network("[5]", "dense: {units: 2, bias: false}")
            let weights: [Double] = [0.5, -1, 2, 0.25, -0.75, -0.5, 0.5, 1, -1.5, 0.125]
            let samples = Samples.random(11, width: 5, classes: 2, seed: 8)
            let (evaluator, arrays) = try target.evaluator(
                network, samples, Weights(parameters: weights, state: []), batchSize: 4)
            let slope = (0..<5).map { weights[$0] - weights[5 + $0] }
            let reach =
                attack.norm == .linf
                ? slope.reduce(0) { $0 + abs($1) } : slope.reduce(0) { $0 + $1 * $1 }.squareRoot()
            func mean(_ epsilon: Double) -> Double {
                let losses = (0..<samples.count).map { n in
                    let x = samples.inputs[5 * n..<5 * n + 5].map { Double($0) }
                    let margin = (samples.labels[n] == 0 ? 1 : -1) * dot(slope, x)
                    return log1p(exp(-(margin - epsilon * reach)))
                }
                return losses.reduce(0, +) / Double(samples.count)
            }
            let clean = try evaluator.run(arrays).loss
            let attacked = try evaluator.run(arrays, attack: attack, seed: 3).loss
            #expect(abs(clean - mean(0)) < target.tolerance(1e-6, 1e-14))
            #expect(abs(attacked - mean(0.1)) < target.tolerance(1e-6, 1e-13))
        }

        /// A confident model has gradients whose squares vanish in float32; the attack moves all the same.
        @Test(arguments: TestDevices.targets, Attack.Norm.allCases)
        func tinyGradients(_ target: Target, _ norm: Attack.Norm) throws {
            let network = try network("[2]", "dense: {units: 2, bias: false}")
            let samples = Samples(inputs: [0.5, 0.5], targets: [1, 0], labels: [0])
            // A margin of 60: probabilities of 1 and e^−60.
            let (evaluator, arrays) = try target.evaluator(
                network, samples, Weights(parameters: [30, 30, -30, -30], state: []), batchSize: 1)
            let logits = try evaluator.run(arrays, attack: .fgsm(norm, epsilon: 0.1)).logits
            let expected = norm == .linf ? 24 : 30 - 3 * 2.0.squareRoot()
            #expect(abs(logits[0] - expected) < 1e-4, "\(logits)")
        }

        private func attacked(
            _ target: Target, _ attack: Attack, _ samples: Samples, _ network: Network, _ weights: Weights
        ) throws -> [Double] {
            let backend = try target.open()
            let arrays = try NetworkArrays(network, weights, on: backend, target.precision)
            let attacker = try Attacker(
                attack, network, .crossEntropy, batchSize: samples.count, on: backend, target.precision)
            let clean = try backend.upload(samples.inputs.map { Double($0) }, target.precision)
            var bound = arrays.bound
            let targets = try backend.upload(samples.targets.map { Double($0) }, target.precision)
            bound["targets"] = targets.all
            var random = RandomStream(seed: 5, purpose: "attack start")
            let result = try attacker.run(clean.all, bound: bound, random: &random, samples: samples.count)
            #expect(try backend.download(clean.all) == samples.inputs.map { Double($0) }, "clean inputs stay")
            return try backend.download(result)
        }

        @Test(arguments: TestDevices.targets, Attack.Norm.allCases)
        func staysInBallAndBox(_ target: Target, _ norm: Attack.Norm) throws {
            let samples = try Samples.digits(.test, 20)
            let network = try network("[1, 8, 8]", "flatten", "dense: 16", "gelu", "dense: 10")
            let weights = Weights.initial(network, seed: 1)
            for (steps, epsilon) in [(0, 0.3), (1, 0.3), (7, 0.3), (7, 2)] {
                let attack = Attack.pgd(norm, epsilon: epsilon, steps: steps)
                let found = try attacked(target, attack, samples, network, weights)
                #expect(found.allSatisfy { (0...1).contains($0) })
                for n in 0..<samples.count {
                    let offset = (64 * n..<64 * n + 64).map { found[$0] - Double(samples.inputs[$0]) }
                    let size =
                        norm == .linf ? offset.map(abs).max()! : dot(offset, offset).squareRoot()
                    #expect(size <= epsilon * (1 + 1e-6) + 1e-7, "sample \(n), \(steps) steps")
                    #expect(size > 0.05 * epsilon, "it moved")
                }
            }
        }

        @Test(arguments: TestDevices.targets, attacks)
        func doesNotDependOnTheBatchSize(_ target: Target, _ attack: Attack) throws {
            let samples = try Samples.digits(.test, 20)
            let network = try network("[1, 8, 8]", "flatten", "dense: 12", "tanh", "dense: 10")
            let weights = Weights.initial(network, seed: 1)
            let found = try [1, 6, 20, 50].map { batch in
                let (evaluator, arrays) = try target.evaluator(network, samples, weights, batchSize: batch)
                return try evaluator.run(arrays, attack: attack, seed: 9)
            }
            for other in found.dropFirst() {
                #expect(
                    mismatch(other.logits, found[0].logits, tolerance: target.tolerance(1e-4, 1e-11)) == nil)
                #expect(abs(other.loss - found[0].loss) < target.tolerance(1e-5, 1e-12))
                #expect(other.accuracy == found[0].accuracy)
            }
        }
    }
}
