import Backend
import Graph
import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Whole training runs on the embedded digits.
    @Suite struct TrainingRunTests {
        private static func weights(_ target: Target) throws -> [Double] {
            let samples = try Samples.digits(.train, 200)
            let network = try Builders.mlp(input: [1, 8, 8], widths: [32], classes: 10)
            let options = TrainingOptions(schedule: Schedule(rate: 0.05), epochs: 3, batchSize: 48, seed: 11)
            let trainer = try target.trainer(network, options, samples)
            return try trainer.weights(after: trainer.totalSteps).parameters
        }

        private static let reference = Result { try weights(Target("cpu", .float64)) }

        /// Fifteen steps of a smooth loss: float32 errors of 6·10⁻⁸ per operation, grown by sums of 64 to 200
        /// terms and by momentum, stay far below 10⁻³ of the weights; float64 has nine digits more.
        @Test(arguments: TestDevices.targets)
        func sameWeightsOnEveryDevice(_ target: Target) throws {
            let distance = relativeDistance(try Self.weights(target), try Self.reference.get())
            #expect(distance < target.tolerance(1e-3, 1e-9), "relative distance \(distance)")
        }

        @Test(arguments: TestDevices.targets)
        func learnsDigits(_ target: Target) throws {
            let network = try Builders.mlp(input: [1, 8, 8], widths: [64], classes: 10)
            let options = TrainingOptions(schedule: Schedule(rate: 0.1), epochs: 4, batchSize: 48, seed: 1)
            let trainer = try target.trainer(network, options, try Samples.digits(.train))
            let weights = try trainer.weights(after: trainer.totalSteps)
            let (evaluator, arrays) = try target.evaluator(
                network, try Samples.digits(.test), weights, batchSize: 100)
            let evaluation = try evaluator.run(arrays)
            #expect(evaluation.accuracy! > 0.9, "accuracy \(evaluation.accuracy!)")
            #expect(trainer.records.last!.loss < 0.5 * trainer.records.first!.loss)
        }

        @Test(arguments: TestDevices.targets)
        func adversarialTrainingIsMoreRobust(_ target: Target) throws {
            let attack = Attack.pgd(epsilon: 0.1, steps: 5)
            let network = try Builders.mlp(input: [1, 8, 8], widths: [32], classes: 10)
            let robust = try [nil, Attack.pgd(epsilon: 0.1, steps: 3)].map { training in
                let options = TrainingOptions(
                    schedule: Schedule(rate: 0.1), epochs: 10, batchSize: 50, seed: 1, attack: training)
                let trainer = try target.trainer(network, options, try Samples.digits(.train, 700))
                let weights = try trainer.weights(after: trainer.totalSteps)
                let (evaluator, arrays) = try target.evaluator(
                    network, try Samples.digits(.test, 200), weights, batchSize: 64)
                return try evaluator.run(arrays, attack: attack).accuracy!
            }
            #expect(robust[1] > robust[0] + 0.05, "\(robust)")
        }

        @Test(arguments: TestDevices.targets)
        func divergenceIsReported(_ target: Target) throws {
            let network = try Builders.mlp(input: [1, 8, 8], widths: [16], classes: 10)
            let options = TrainingOptions(
                schedule: Schedule(rate: 1e25), epochs: 3, batchSize: 20, loss: .mse)
            let trainer = try target.trainer(network, options, try Samples.digits(.train, 60))
            var message = ""
            do {
                _ = try trainer.weights(after: 9)
            } catch let error as TrainingError {
                message = error.description
            }
            #expect(message.hasPrefix("training diverged: the loss of step "), "\(message)")
            #expect(message.hasSuffix("a lower learning rate or a warm-up may help"))
        }

        @Test(arguments: TestDevices.targets)
        func evaluationDoesNotDependOnTheBatchSize(_ target: Target) throws {
            let samples = try Samples.digits(.test, 50)
            let network = try network(
                "[1, 8, 8]", "conv: {filters: 4, kernel: 3, stride: 2}", "batch-norm", "relu", "flatten",
                "dense: 10")
            let weights = Weights.initial(network, seed: 2)
            let found = try [1, 7, 50, 64].map { batch in
                let (evaluator, arrays) = try target.evaluator(network, samples, weights, batchSize: batch)
                return try evaluator.run(arrays)
            }
            for other in found.dropFirst() {
                #expect(
                    mismatch(other.logits, found[0].logits, tolerance: target.tolerance(1e-5, 1e-13)) == nil)
                #expect(abs(other.loss - found[0].loss) < target.tolerance(1e-6, 1e-13))
                #expect(other.accuracy == found[0].accuracy)
            }
        }
    }
}
