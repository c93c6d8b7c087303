import Analysis
import ArgumentParser
import Data
import Foundation
import Models
import Training

/// Curvature through a training.
struct TrackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "track",
        abstract: "Top eigenvalues, trace and negative mass over the checkpoints of a training run.",
        discussion: """
            Examples:
              landscape spectrum track --run runs/standard --data digits:train:500 --output runs/track
              landscape spectrum track --model m.yaml --checkpoints a.safetensors b.safetensors --learning-rate 0.1 --data mnist:train:1000

            The search at every checkpoint starts from the eigenvectors of the one before. Where the learning rate is known \
            (from the run, or --learning-rate), the largest curvature at which gradient descent with it is stable is told: 2/η \
            for plain descent, 2(1+β)/η with momentum β, 2(1+β)/(η(1+2β)) with Nesterov's. Training often ends just there (the \
            edge of stability, Cohen et al. 2021). With --output, a table, arrays and a figure are written there, and a killed \
            run goes on.
            """)

    @Option(
        name: .customLong("run"),
        help: "Folder of `landscape train`; its model, checkpoints and learning rates are taken.")
    var training: String?

    @Option(help: "Without --run: a model file (YAML), or a model by name.")
    var model: String?

    @Option(parsing: .upToNextOption, help: "Without --run: weight files in order of time.")
    var checkpoints: [String] = []

    @Option(help: "Learning rate of the training, if it is not in the run.")
    var learningRate: Double?

    @Option(help: "Momentum of the training; 0 unless given or in the run.")
    var momentum: Double?

    @Option(help: "Only every so many checkpoints, and the last.")
    var every = 1

    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "cross-entropy or mse; the run's unless given.")
    var loss: Loss?

    @Option(help: "How many eigenvalues.")
    var top = 1

    @Option(help: "Random vectors for trace and negative mass; 0 leaves both out.")
    var probes = 10

    @Option(help: "Lanczos steps of each probe.")
    var lanczosSteps = 30

    @Option(help: "Residuals are accepted below this fraction of their eigenvalue.")
    var tolerance = 1e-3

    @Flag(help: "Start every search afresh instead of from the eigenvectors before.")
    var coldStart = false

    @Option(help: "Folder for the table, arrays and the figure; a killed run goes on there.")
    var output: String?

    func validate() throws {
        if training == nil, checkpoints.isEmpty {
            throw ValidationError("give --run FOLDER, or --model and --checkpoints")
        }
        if training != nil, !checkpoints.isEmpty || model != nil {
            throw ValidationError("--run brings its own --model and --checkpoints")
        }
        if training == nil, model == nil { throw ValidationError("--checkpoints need --model") }
        if !(1...10_000).contains(top) { throw ValidationError("--top is at least 1, found \(top)") }
        if every < 1 { throw ValidationError("--every is at least 1, found \(every)") }
        if !(0...1_000_000).contains(probes) {
            throw ValidationError("--probes is between 0 and a million, found \(probes)")
        }
        if !(1...1_000_000).contains(lanczosSteps) {
            throw ValidationError("--lanczos-steps is between 1 and a million, found \(lanczosSteps)")
        }
        if !(tolerance > 0 && tolerance < 1) {
            throw ValidationError("--tolerance is between 0 and 1, found \(tolerance)")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw ValidationError("--learning-rate is positive, found \(learningRate)")
        }
        if let momentum, !(0..<1).contains(momentum) {
            throw ValidationError("--momentum is between 0 and 1, found \(momentum)")
        }
        if momentum != nil, learningRate == nil {
            throw ValidationError("--momentum goes with --learning-rate")
        }
    }

    func run() throws { try TrackRun(self).run() }
}
