import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import TestSupport
import Testing
import Training

/// All tests on devices run one after the other: they share cores and drivers.
@Suite(.serialized) enum OnDevices {}

/// A data set as trainers take it.
struct Samples {
    var inputs: [Float], targets: [Float], labels: [Int]
    var count: Int { labels.count }

    /// Some training or test digits.
    static func digits(_ split: Split, _ count: Int? = nil) throws -> Samples {
        let whole = Digits.dataset(split: split)
        let data = try count.map { try whole.balancedSubset(count: $0) } ?? whole
        return Samples(inputs: data.inputs.floats, targets: try data.oneHot().floats, labels: data.labels!)
    }

    /// Random points in the middle of the box, with random labels.
    static func random(_ count: Int, width: Int, classes: Int, seed: UInt64) -> Samples {
        var random = TestRandom(seed: seed)
        let labels = (0..<count).map { _ in random.extent(0...classes - 1) }
        return Samples(
            inputs: random.values(count * width, in: 0.3...0.7).map { Float($0) },
            targets: labels.flatMap { label in (0..<classes).map { $0 == label ? 1 : 0 } }, labels: labels)
    }
}

extension Target {
    /// A trainer on this target.
    func trainer(
        _ network: Network, _ options: TrainingOptions, _ samples: Samples, _ weights: Weights? = nil
    ) throws -> Trainer {
        try Trainer(
            network, options, inputs: samples.inputs, targets: samples.targets,
            weights: weights ?? .initial(network, seed: options.seed), on: try open(), precision)
    }

    /// An evaluator on this target, with the weights on the same device.
    func evaluator(
        _ network: Network, _ samples: Samples, _ weights: Weights, batchSize: Int, loss: Loss = .crossEntropy
    ) throws -> (Evaluator, NetworkArrays) {
        let backend = try open()
        return (
            try Evaluator(
                network, loss, inputs: samples.inputs.map { Double($0) },
                targets: samples.targets.map { Double($0) }, labels: samples.labels, batchSize: batchSize,
                on: backend, precision),
            try NetworkArrays(network, weights, on: backend, precision)
        )
    }
}

extension Trainer {
    /// Trains for some steps and returns all weights.
    func weights(after steps: Int) throws -> Weights {
        for _ in 0..<steps { try advance() }
        return try checkpoint().weights
    }
}

/// A network from the lines of a model file.
func network(_ input: String, _ layers: String...) throws -> Network {
    try ModelFile.parse("input: \(input)\nlayers:\n" + layers.map { "- \($0)\n" }.joined(), file: "m.yaml")
}

/// Euclidean distance over Euclidean norm.
func relativeDistance(_ a: [Double], _ b: [Double]) -> Double {
    let difference = zip(a, b).map { $0 - $1 }
    return (dot(difference, difference) / dot(b, b)).squareRoot()
}

/// Whether two lists hold the same bits.
func sameBits(_ a: [Double], _ b: [Double]) -> Bool {
    a.elementsEqual(b) { $0.bitPattern == $1.bitPattern }
}
