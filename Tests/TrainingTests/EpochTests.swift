import Data
import Foundation
import Graph
import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// One pass over the data: every sample once, in an order of its own, ragged batches weighted right.
    @Suite struct EpochTests {
        /// Soft-max regression by plain loops, in the order that the seed gives.
        private func host(
            _ samples: Samples, width: Int, classes: Int, batch: Int, rate: Double, epochs: Int,
            _ start: [Double]
        ) -> [Double] {
            var w = start
            for epoch in 0..<epochs {
                var random = RandomStream(seed: 5, purpose: "order of epoch \(epoch)")
                let order = random.permutation(samples.count)
                for first in stride(from: 0, to: samples.count, by: batch) {
                    let members = order[first..<min(first + batch, samples.count)]
                    var gradient = [Double](repeating: 0, count: w.count)
                    for n in members {
                        let x = samples.inputs[n * width..<(n + 1) * width].map { Double($0) }
                        let scores = (0..<classes).map { c in
                            exp(dot(Array(w[c * width..<(c + 1) * width]), x) + w[classes * width + c])
                        }
                        for c in 0..<classes {
                            let error = scores[c] / scores.reduce(0, +) - (samples.labels[n] == c ? 1 : 0)
                            for i in 0..<width {
                                gradient[c * width + i] += error * x[i] / Double(members.count)
                            }
                            gradient[classes * width + c] += error / Double(members.count)
                        }
                    }
                    w = zip(w, gradient).map { $0 - rate * $1 }
                }
            }
            return w
        }

        @Test(arguments: TestDevices.targets, [1, 3, 4, 7, 10])
        func raggedBatches(_ target: Target, batch: Int) throws {
            let samples = Samples.random(7, width: 3, classes: 4, seed: 1)
            let network = try network("[3]", "dense: 4")
            let options = TrainingOptions(
                optimizer: .sgd(momentum: 0, isNesterov: false), schedule: Schedule(rate: 0.5), epochs: 2,
                batchSize: batch, seed: 5)
            let start = Weights.initial(network, seed: 5)
            let trainer = try target.trainer(network, options, samples)
            let found = try trainer.weights(after: trainer.totalSteps).parameters
            let expected = host(
                samples, width: 3, classes: 4, batch: batch, rate: 0.5, epochs: 2, start.parameters)
            #expect(mismatch(found, expected, tolerance: target.tolerance(2e-6, 1e-13)) == nil)
            #expect(relativeDistance(found, start.parameters) > 0.1, "it moved")
        }

        /// With batches of one and a rate of zero, the records are the losses of the samples in their order.
        private func order(_ target: Target, seed: UInt64, epochs: Int) throws -> [[Double]] {
            let samples = Samples.random(9, width: 2, classes: 3, seed: 2)
            let network = try network("[2]", "dense: 3")
            let options = TrainingOptions(
                optimizer: .sgd(momentum: 0, isNesterov: false), schedule: Schedule(rate: 0),
                epochs: Double(epochs), batchSize: 1, seed: seed)
            let weights = Weights.initial(network, seed: 1)
            let trainer = try target.trainer(network, options, samples, weights)
            #expect(try trainer.weights(after: 9 * epochs).parameters.count == 9)
            return (0..<epochs).map { epoch in trainer.records[9 * epoch..<9 * epoch + 9].map(\.loss) }
        }

        @Test(arguments: TestDevices.targets)
        func ordersDiffer(_ target: Target) throws {
            let epochs = try order(target, seed: 1, epochs: 3)
            let other = try order(target, seed: 2, epochs: 1)
            for epoch in epochs + other { #expect(epoch.sorted() == epochs[0].sorted(), "every sample once") }
            #expect(Set(epochs[0]).count == 9)
            #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != epochs[2])
            #expect(other[0] != epochs[0])
            #expect(try order(target, seed: 1, epochs: 3) == epochs)
        }

        @Test(arguments: TestDevices.targets)
        func recordsAreMeansBeforeTheUpdate(_ target: Target) throws {
            let samples = Samples.random(8, width: 2, classes: 2, seed: 3)
            let network = try network("[2]", "dense: 2")
            let weights = Weights.initial(network, seed: 0)
            let trainer = try target.trainer(
                network, TrainingOptions(schedule: Schedule(rate: 1), batchSize: 8), samples, weights)
            _ = try trainer.weights(after: 1)
            let (evaluator, arrays) = try target.evaluator(network, samples, weights, batchSize: 3)
            let evaluation = try evaluator.run(arrays)
            #expect(abs(trainer.records[0].loss - evaluation.loss) < target.tolerance(1e-6, 1e-14))
            #expect(abs(trainer.records[0].accuracy - evaluation.accuracy!) < 1e-6)
        }
    }
}
