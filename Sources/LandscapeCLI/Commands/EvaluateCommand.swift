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
            inputs, and the gradient is taken there. Without labels or targets, --output alone writes the logits.
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
        var loss: Double?
        var accuracy: Double?
        var gradientNorm: Double?
        var samples: Int
        var outputs: Int
        var parameters: Int
        var device: String
        var precision: String
    }

    func run() throws {
        let samples = try data.load(needsTargets: gradient != nil || attack.chosen != nil || output == nil)
        let network = try model.network(samples)
        try samples.check(network, loss, common.precision, attack.chosen)
        let weights = try model.loadOrStart(network, seed: common.seed)
        for path in [output, gradient].compactMap({ $0 }) { try checkWritable(path) }
        let backend = try common.open()
        let study = try Study(
            network, weights, samples, loss, batchSize: common.batchSize, on: backend, common.precision)
        let evaluation = try study.evaluator.run(study.arrays, attack: attack.chosen, seed: common.seed)
        var result = Output(
            samples: samples.count, outputs: network.outputs, parameters: network.layout.count,
            device: backend.device.name, precision: common.precision.rawValue)
        var flat: [Double] = []
        if samples.hasTargets {
            let risk = try study.risk(attack: attack.chosen, seed: common.seed)
            let vector = try risk.space.vector()
            _ = try risk.gradient(into: vector.all)
            flat = try backend.download(vector.all)
            let norm = try risk.space.norm(vector.all)
            guard evaluation.loss.isFinite, norm.isFinite else {
                throw CommandError(
                    "the loss is \(plain(evaluation.loss)) and its gradient's norm \(plain(norm)): the logits are too large for "
                        + "\(common.precision), or not finite")
            }
            (result.loss, result.accuracy, result.gradientNorm) = (evaluation.loss, evaluation.accuracy, norm)
        }
        // Files last: a run that fails leaves earlier ones alone.
        if let output {
            try Npy.write(
                .of(evaluation.logits, [samples.count, network.outputs], common.precision), to: output)
        }
        if let gradient { try Npy.write(.of(flat, [flat.count], common.precision), to: gradient) }
        if common.json { return try Console.json(result) }
        var rows: [(String, String)] = []
        if let loss = result.loss { rows.append(("loss", formatSignificant(loss, digits: 6))) }
        if let accuracy = result.accuracy {
            rows.append(("accuracy", formatSignificant(accuracy, digits: 4)))
        }
        if let norm = result.gradientNorm {
            rows.append(("gradient norm", formatSignificant(norm, digits: 6)))
        }
        rows += [
            ("samples", "\(samples.count)"), ("parameters", "\(network.layout.count)"),
            ("device", backend.device.name),
        ]
        Console.table(rows)
    }
}
