import Backend
import Models
import Planner
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Where the batch size is no part of the result it gives way to memory; where it is, the user decides.
    @Suite struct MemoryTests {
        private let attack = Attack.pgd(.l2, epsilon: 0.3, steps: 3)

        private func evaluate(_ target: Target, _ backend: LimitedBackend, batchSize: Int) throws -> (
            clean: Evaluation, attacked: Evaluation, inputs: [Double]
        ) {
            let samples = try Samples.digits(.test, 20)
            let network = try network("[1, 8, 8]", "flatten", "dense: 12", "tanh", "dense: 10")
            let evaluator = try Evaluator(
                network, .crossEntropy, inputs: samples.inputs.map { Double($0) },
                targets: samples.targets.map { Double($0) }, labels: samples.labels, batchSize: batchSize,
                on: backend, target.precision)
            let arrays = try NetworkArrays(
                network, Weights.initial(network, seed: 1), on: backend, target.precision)
            return (
                try evaluator.run(arrays), try evaluator.run(arrays, attack: attack, seed: 9),
                try evaluator.attacked(arrays, attack, seed: 9)
            )
        }

        @Test(arguments: TestDevices.targets, [false, true])
        func evaluationsTakeSmallerBatches(_ target: Target, refusesLate: Bool) throws {
            let roomy = LimitedBackend(try target.open())
            let expected = try evaluate(target, roomy, batchSize: 5)
            let tight = LimitedBackend(try target.open())
            if refusesLate {
                tight.largestRun = roomy.largestArena
            } else {
                tight.largestCompiled = roomy.largestArena
            }
            let found = try evaluate(target, tight, batchSize: 20)
            for (a, b) in [(found.clean, expected.clean), (found.attacked, expected.attacked)] {
                #expect(mismatch(a.logits, b.logits, tolerance: target.tolerance(1e-4, 1e-11)) == nil)
                #expect(abs(a.loss - b.loss) < target.tolerance(1e-5, 1e-12))
                #expect(a.accuracy == b.accuracy)
            }
            #expect(mismatch(found.inputs, expected.inputs, tolerance: target.tolerance(1e-4, 1e-11)) == nil)
            #expect(tight.largestArena <= roomy.largestArena || refusesLate)
        }

        /// An evaluator that found no memory is made anew by the next call.
        @Test(arguments: TestDevices.selectors)
        func aFailureIsNotTheEnd(_ selector: String) throws {
            let backend = LimitedBackend(try Devices.open(selector).backend)
            let samples = try Samples.digits(.test, 20)
            let network = try network("[1, 8, 8]", "flatten", "dense: 10")
            let evaluator = try Evaluator(
                network, .crossEntropy, inputs: samples.inputs.map { Double($0) },
                targets: samples.targets.map { Double($0) }, labels: samples.labels, batchSize: 20,
                on: backend, .float32)
            let arrays = try NetworkArrays(network, .initial(network, seed: 1), on: backend, .float32)
            let expected = try evaluator.run(arrays).loss
            (backend.largestRun, backend.largestCompiled) = (0, 0)
            for _ in 0..<2 { #expect(throws: BackendError.self) { try evaluator.run(arrays) } }
            (backend.largestRun, backend.largestCompiled) = (.max, .max)
            #expect(abs(try evaluator.run(arrays).loss - expected) < 1e-6)
        }

        /// A step's batch is part of what it does.
        @Test(arguments: TestDevices.selectors)
        func trainingStepsDoNot(_ selector: String) throws {
            let backend = LimitedBackend(try Devices.open(selector).backend)
            backend.largestCompiled = 4096
            let samples = try Samples.digits(.test, 20)
            let network = try network("[1, 8, 8]", "flatten", "dense: 12", "batch-norm", "relu", "dense: 10")
            var error: BackendError?
            error = #expect(throws: BackendError.self) {
                let trainer = try Trainer(
                    network,
                    TrainingOptions(schedule: Schedule(rate: 0.1), epochs: 1, batchSize: 20, seed: 1),
                    inputs: samples.inputs, targets: samples.targets,
                    weights: .initial(network, seed: 1), on: backend, .float32)
                try trainer.advance()
            }
            #expect(error?.kind == .outOfMemory)
        }
    }
}
