import Foundation
import Models
import Planner
import TestSupport
import Testing

@testable import Training

extension OnDevices {
    /// Training that is left and taken up again gives the same bits.
    @Suite struct ResumeTests {
        private static let optimizers: [Optimizer] = [
            .sgd(momentum: 0, isNesterov: false), .sgd(momentum: 0.9, isNesterov: true),
            .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
        ]

        private func options(_ optimizer: Optimizer, _ attack: Attack?) -> TrainingOptions {
            TrainingOptions(
                optimizer: optimizer, schedule: Schedule(.cosine, rate: 0.05, warmup: 1), weightDecay: 1e-3,
                epochs: 4, batchSize: 5, seed: 3, attack: attack)
        }

        /// Thirteen steps at once, and seven and six with a checkpoint on disk between, in the second epoch.
        @Test(arguments: TestDevices.targets, optimizers)
        func inTheMiddleOfAnEpoch(_ target: Target, _ optimizer: Optimizer) throws {
            let network = try network("[6]", "dense: 5", "batch-norm", "relu", "dense: 3")
            let samples = Samples.random(23, width: 6, classes: 3, seed: 4)
            for norm in [nil] + Attack.Norm.allCases.map(Optional.init) {
                let attack = norm.map { Attack.pgd($0, epsilon: 0.1, steps: 2) }
                let options = options(optimizer, attack)
                let whole = try target.trainer(network, options, samples).weights(after: 13)

                let folder = FileManager.default.temporaryDirectory.path + "/resume-\(UUID().uuidString)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let first = try target.trainer(network, options, samples)
                for _ in 0..<7 { try first.advance() }
                let format = target.precision == .float32 ? Safetensors.Format.float32 : .float64
                let checkpoint = try first.checkpoint()
                try checkpoint.write(to: folder, for: network, format)
                #expect(Checkpoint.steps(in: folder) == [7])

                let second = try target.trainer(network, options, samples)
                try second.restore(try Checkpoint.read(from: folder, step: 7, for: network))
                #expect(second.step == 7)
                let parts = try second.weights(after: 6)
                #expect(
                    sameBits(parts.parameters, whole.parameters), "\(norm.map(\.rawValue) ?? "no attack")")
                #expect(sameBits(parts.state, whole.state))
                #expect(!sameBits(parts.parameters, checkpoint.weights.parameters))
            }
        }

        @Test(arguments: TestDevices.targets)
        func sameSeedSameBits(_ target: Target) throws {
            let network = try network("[6]", "dense: 3")
            let samples = Samples.random(23, width: 6, classes: 3, seed: 4)
            let options = options(Self.optimizers[1], nil)
            let a = try target.trainer(network, options, samples).weights(after: 9)
            let b = try target.trainer(network, options, samples).weights(after: 9)
            #expect(sameBits(a.parameters, b.parameters))
        }

        @Test(arguments: TestDevices.targets)
        func aCheckpointOfAnotherOptimiserIsRefused(_ target: Target) throws {
            let network = try network("[6]", "dense: 3")
            let samples = Samples.random(5, width: 6, classes: 3, seed: 4)
            for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
                let checkpoint = try target.trainer(network, options(Self.optimizers[from], nil), samples)
                    .checkpoint()
                let other = try target.trainer(network, options(Self.optimizers[to], nil), samples)
                #expect(throws: TrainingError.self) { try other.restore(checkpoint) }
            }
        }

        @Test func damagedRecords() throws {
            let network = try network("[2]", "dense: 1")
            let folder = FileManager.default.temporaryDirectory.path + "/record-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let checkpoint = Checkpoint(
                step: 12, attackPosition: 7, weights: Weights(parameters: [1, 2, 3], state: []),
                optimizer: [(name: "momentum", values: [4, 5, 6])])
            try checkpoint.write(to: folder, for: network, .float64)
            let again = try Checkpoint.read(from: folder, step: 12, for: network)
            #expect(again.attackPosition == 7 && again.optimizer[0].values == [4, 5, 6])
            #expect(Checkpoint.weightsPath(folder, step: 12) == "\(folder)/step-0000012.safetensors")
            #expect(throws: (any Error).self) { try Checkpoint.read(from: folder, step: 13, for: network) }
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/step-0000012.json"))
            #expect(throws: TrainingError.self) { try Checkpoint.read(from: folder, step: 12, for: network) }
            #expect(Checkpoint.steps(in: "/nowhere") == [])
        }
    }
}
