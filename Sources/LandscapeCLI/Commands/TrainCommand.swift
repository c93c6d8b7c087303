import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import Report
import Training

/// Trains a network into a run folder.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network, normally or on attacked inputs, into a run folder.",
        discussion: """
            Examples:
              landscape train --model cnn --data digits --test digits:test --epochs 20 --output runs/standard
              landscape train --model m.yaml --data mnist --attack pgd --epsilon 0.3 --attack-steps 7 --output runs/at

            The folder gets the configuration, a log, metrics.jsonl (one line per step), checkpoints, model.yaml and \
            weights.safetensors. Stop it anywhere: the same command on the same folder goes on from the last \
            checkpoint, with bit-identical weights in the end.
            """)

    @Option(help: "A model file (YAML), or one of \(Builders.names.joined(separator: ", ")).")
    var model: String

    @Option(help: "Training samples: NAME[:SPLIT[:COUNT]] or a folder.")
    var data: String

    @Option(help: "Samples evaluated after every epoch: NAME[:SPLIT[:COUNT]] or a folder.")
    var test: String?

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @OptionGroup var training: TrainingArguments
    @OptionGroup var attack: AttackOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "The run folder; it is made if needed.")
    var output: String

    @Option(help: "Epochs between checkpoints; may be fractional, 0 for none but the last.")
    var checkpointEvery = 1.0

    @Option(
        parsing: .upToNextOption, help: "Further epochs, possibly fractional, at which to keep a checkpoint.")
    var checkpoints: [Double] = []

    func validate() throws {
        if !(checkpointEvery == 0 || (checkpointEvery >= 1e-3 && checkpointEvery.isFinite)) {
            throw ValidationError("--checkpoint-every is 0 or at least 0.001, found \(checkpointEvery)")
        }
        if let bad = checkpoints.first(where: { !($0 >= 0 && $0 <= training.epochs) }) {
            throw ValidationError("--checkpoints lie between 0 and --epochs, found \(bad)")
        }
    }

    private struct Settings: Codable, Equatable {
        var model: String
        var data: String
        var test: String?
        var training: TrainingOptions
        var precision: Precision
        var checkpointEvery: Double
        var checkpoints: [Double]
    }

    private struct Output: Encodable {
        var loss: Double
        var accuracy: Double?
        var testLoss: Double?
        var testAccuracy: Double?
        var steps: Int
        var parameters: Int
        var weights: String
        var device: String
        var precision: String
    }

    func run() throws {
        let dataset = try DataSource(parsing: data).load().validated()
        let samples = try Samples(dataset, file: data)
        let network = try ModelOptions.network(model, samples)
        try samples.check(network, loss, common.precision, attack.chosen)
        let held = try test.map { try Samples(DataSource(parsing: $0).load().validated(), file: $0) }
        try held?.check(network, loss, common.precision)
        let options = training.options(common, loss, attack.chosen)
        guard options.totalSteps(samples.count) > 0 else {
            throw CommandError(
                "--epochs \(options.epochs) is less than one step of \(options.stepsPerEpoch(samples.count)) per epoch"
            )
        }
        let backend = try common.open()
        let settings = Settings(
            model: ModelFile.text(network), data: data, test: test, training: options,
            precision: common.precision, checkpointEvery: checkpointEvery, checkpoints: checkpoints)
        let folder = try RunFolder(
            output, settings, backend.device, owned: ["model.yaml", "weights.safetensors", "metrics.jsonl"])
        try folder.write(Foundation.Data(ModelFile.text(network).utf8), "model.yaml")

        let evaluator = try held.map { held in
            try Evaluator(
                network, loss, inputs: held.inputs.doubles, targets: held.targetRows(network),
                labels: held.labels,
                batchSize: common.batchSize, on: backend, common.precision)
        }
        try folder.log("training on \(backend.device.name)")
        let run = TrainingRun(
            network: network, options: options, samples: samples, test: evaluator, checkpoints: checkpoints,
            every: checkpointEvery, folder: output, title: "training")
        let (weights, metrics) = try run.run(on: backend, common.precision)
        let path = folder.path("weights.safetensors")
        try writeAtomically(
            weights.bytes(for: network, common.precision == .float32 ? .float32 : .float64), to: path)
        try folder.log("done")
        let last = metrics.last { $0.testLoss != nil }
        let epoch = metrics.perEpoch.last
        let result = Output(
            loss: epoch?.loss ?? .nan, accuracy: samples.labels == nil ? nil : epoch?.accuracy,
            testLoss: last?.testLoss, testAccuracy: last?.testAccuracy,
            steps: options.totalSteps(samples.count), parameters: network.layout.count, weights: path,
            device: backend.device.name, precision: common.precision.rawValue)
        if common.json { return try Console.json(result) }
        show(result)
    }

    private func show(_ result: Output) {
        var rows = [("loss in the last epoch", formatSignificant(result.loss, digits: 4))]
        if let accuracy = result.accuracy {
            rows.append(("accuracy in the last epoch", formatSignificant(accuracy, digits: 4)))
        }
        if let loss = result.testLoss { rows.append(("test loss", formatSignificant(loss, digits: 4))) }
        if let accuracy = result.testAccuracy {
            rows.append(("test accuracy", formatSignificant(accuracy, digits: 4)))
        }
        rows += [
            ("steps", "\(result.steps)"), ("parameters", "\(result.parameters)"), ("weights", result.weights),
            ("device", result.device),
        ]
        Console.table(rows)
    }
}
