import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import Report
import Training

/// Loss, accuracy and gradient of a network on samples.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Loss, accuracy and gradient of a network on samples.",
        discussion: """
            Examples:
              landscape evaluate --model m.yaml --weights w.safetensors --inputs x.npy --labels y.npy --json
              landscape evaluate --model m.yaml --weights w.safetensors --data digits:test --attack pgd --epsilon 0.1

            The loss is a mean over samples; mse is 1/(2N) Σ‖f(x) − y‖². The gradient is flat, in layout order: \
            layers in order, weight before bias. Under an attack, loss and accuracy are those of the attacked \
            inputs, and the gradient is taken there.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var attack: AttackOptions

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @Option(help: "Write the logits [N, O] to this .npy file.")
    var output: String?

    @Option(help: "Write the flat gradient [P] to this .npy file.")
    var gradient: String?

    private struct Output: Encodable {
        var loss: Double
        var accuracy: Double?
        var gradientNorm: Double
        var samples: Int
        var outputs: Int
        var parameters: Int
        var device: String
        var precision: String
    }

    func run() throws {
        let samples = try data.load(needsTargets: true)
        let network = try model.network(samples)
        try samples.check(network)
        let weights = try model.load(network, seed: common.seed)
        let backend = try common.open()
        let study = try Study(
            network, weights, samples, loss, batchSize: common.batchSize, on: backend, common.precision)
        let evaluation = try study.evaluator.run(study.arrays, attack: attack.chosen, seed: common.seed)
        let risk = try study.risk(attack: attack.chosen, seed: common.seed)
        let vector = try risk.space.vector()
        _ = try risk.gradient(into: vector.all)
        let norm = try risk.space.norm(vector.all)
        if let output {
            try Npy.write(
                .of(evaluation.logits, [samples.count, network.outputs], common.precision), to: output)
        }
        if let gradient {
            try Npy.write(.of(backend.download(vector.all), [vector.count], common.precision), to: gradient)
        }
        let result = Output(
            loss: evaluation.loss, accuracy: evaluation.accuracy, gradientNorm: norm, samples: samples.count,
            outputs: network.outputs, parameters: network.layout.count, device: backend.device.name,
            precision: common.precision.rawValue)
        if common.json { return try Console.json(result) }
        Console.table(
            [("loss", formatSignificant(result.loss, digits: 6))]
                + (result.accuracy.map { [("accuracy", formatSignificant($0, digits: 4))] } ?? [])
                + [
                    ("gradient norm", formatSignificant(norm, digits: 6)), ("samples", "\(samples.count)"),
                    ("parameters", "\(network.layout.count)"), ("device", backend.device.name),
                ])
    }
}

extension NDArray {
    /// An array in the format of a run.
    static func of(_ values: [Double], _ shape: [Int], _ precision: Precision) -> NDArray {
        switch precision {
        case .float32: NDArray(shape: shape, floats: values.map { Float($0) })
        case .float64: NDArray(shape: shape, doubles: values)
        }
    }
}
