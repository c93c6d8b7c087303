import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Report
import Training

/// One real experiment, from training to a report.
struct QuickstartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quickstart",
        abstract: "One real experiment on handwritten digits, from training to a report.",
        discussion: """
            Trains a small network normally and on attacked inputs, follows the neural tangent kernel through \
            training, measures the Hessian's top eigenvalues, trace and density, slices the loss, and writes \
            report.html with all figures. Needs no network and no files: the digits are part of the program. Stop it \
            anywhere; the same command goes on.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "The run folder.")
    var output = "runs/quickstart"

    @Option(help: "Epochs of both trainings.")
    var epochs = 20.0

    private struct Output: Encodable {
        struct Network: Encodable {
            var testAccuracy: Double
            var robustAccuracy: Double
            var trainLoss: Double
            var eigenvalues: [Double]
            var trace: Double
            var traceStandardError: Double
            var sharpness: Double
            var sharpnessStandardError: Double
            var kernelDistance: Double?
        }
        var report: String
        var standard: Network
        var adversarial: Network
        var device: String
        var precision: String
        var seconds: Double
    }

    func validate() throws {
        if !(epochs >= 0.1 && epochs <= 1e4) {
            throw ValidationError("--epochs is between 0.1 and 10,000, found \(epochs)")
        }
    }

    func run() throws {
        let clock = ContinuousClock.now
        let backend = try common.open()
        let settings = QuickstartSettings(
            epochs: epochs, seed: common.seed, batchSize: common.batchSize,
            precision: common.precision.rawValue)
        let folder = try RunFolder(
            output, settings, backend.device, owned: ["model.yaml", "report.html", "standard", "adversarial"])
        let train = Digits.dataset(split: .train), test = Digits.dataset(split: .test)
        let network = try Builders.cnn(input: [1, 8, 8], classes: 10)
        try folder.write(Foundation.Data(ModelFile.text(network).utf8), "model.yaml")
        try folder.log("quickstart on \(backend.device.name)")
        let attack = Attack.pgd(.linf, epsilon: settings.epsilon, steps: settings.trainingSteps)
        let results = try [("standard", nil), ("adversarial", attack)].map { name, attack in
            try QuickstartExperiment(
                name: name, attack: attack, settings: settings, network: network, train: train, test: test,
                run: folder, backend: backend, precision: common.precision
            ).results()
        }
        let figures = try draw(
            QuickstartFigures(standard: results[0], adversarial: results[1], settings: settings), folder)
        let report = QuickstartReport(
            standard: results[0], adversarial: results[1], settings: settings, network: network,
            device: backend.device, figures: figures)
        let path = folder.path("report.html")
        try report.document.write(to: URL(fileURLWithPath: path))
        try folder.log("done")
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        Console.clear()
        if common.json {
            return try Console.json(
                Output(
                    report: path, standard: summary(results[0]), adversarial: summary(results[1]),
                    device: backend.device.name, precision: common.precision.rawValue, seconds: seconds))
        }
        var table = report.table
        table.caption = ""
        print(table.text)
        print("\nreport: \(path)  (\(formatSeconds(seconds)) on \(backend.device.name))")
    }

    private func draw(_ figures: QuickstartFigures, _ folder: RunFolder) throws -> [DrawnFigure] {
        let gnuplot = Gnuplot()
        let target = URL(fileURLWithPath: try folder.folder("figures"))
        Console.progress("drawing figures")
        let drawn = try figures.all.map { try gnuplot.draw($0, in: target) }
        for note in drawn.compactMap(\.note) {
            try folder.log(note)
            Console.note(note)
        }
        return drawn
    }

    private func summary(_ results: QuickstartResults) -> Output.Network {
        Output.Network(
            testAccuracy: results.accuracy.testAccuracy, robustAccuracy: results.accuracy.robustAccuracy,
            trainLoss: results.accuracy.trainLoss, eigenvalues: results.spectrum.eigenvalues,
            trace: results.spectrum.trace, traceStandardError: results.spectrum.traceStandardError,
            sharpness: results.slices.sharpness,
            sharpnessStandardError: results.slices.sharpnessStandardError,
            kernelDistance: results.kernels.distances.last)
    }
}
