import Data
import Foundation
import Models
import Training

/// The checkpoints of a training, and what is known of how it went.
struct TrackedTraining {
    struct Point {
        var path: String
        var step: Int
        var epoch: Double?
        var learningRate: Double?
    }
    let model: String
    let points: [Point]
    let training: TrainingOptions?
    /// The name of the data that was trained on.
    let data: String?

    /// What of a run's `config.json` matters here.
    private struct Record: Decodable {
        struct Configuration: Decodable {
            var training: TrainingOptions
            var data: String
        }
        var configuration: Configuration
    }

    init(_ options: TrackCommand) throws {
        guard let run = options.training else {
            model = options.model ?? ""
            (training, data) = (nil, nil)
            points = options.checkpoints.enumerated().map {
                Point(path: $1, step: $0, epoch: nil, learningRate: options.learningRate)
            }
            return
        }
        let folder = run + "/checkpoints", steps = Checkpoint.steps(in: folder)
        guard !steps.isEmpty else {
            throw CommandError(
                "--run \(run): no checkpoints in \(folder); expected a folder of `landscape train`")
        }
        model = run + "/model.yaml"
        let file = run + "/config.json"
        guard let record = try? JSON.decode(Record.self, Foundation.Data(try readBytes(file))) else {
            throw CommandError("\(file): is not the configuration of `landscape train`")
        }
        (training, data) = (record.configuration.training, record.configuration.data)
        let training = record.configuration.training
        let perEpoch = try Self.stepsPerEpoch(run + "/metrics.jsonl")
        points = steps.map { step in
            let epoch = perEpoch.map { Double(step) / $0 }
            let scheduled = epoch.map {
                training.schedule.rate(
                    at: min($0, training.epochs), of: training.epochs,
                    stepsPerEpoch: Int(perEpoch ?? 1))
            }
            return Point(
                path: Checkpoint.weightsPath(folder, step: step), step: step, epoch: epoch,
                learningRate: options.learningRate ?? scheduled)
        }
    }

    /// Steps of an epoch, by the last line of the metrics.
    private static func stepsPerEpoch(_ path: String) throws -> Double? {
        let text = String(decoding: try readBytes(path), as: UTF8.self)
        guard let last = text.split(separator: "\n").last,
            let line = try? JSON.decode(TrainingRun.Line.self, Foundation.Data(last.utf8)), line.epoch > 0
        else { return nil }
        return (Double(line.step) / line.epoch).rounded()
    }

    /// The largest curvature at which descent with a learning rate is stable on a quadratic; nil where there is no such
    /// number, as for Adam.
    func stableCurvature(_ rate: Double?, momentum given: Double?) -> Double? {
        guard let rate, rate > 0 else { return nil }
        var momentum = given ?? 0, isNesterov = false, decay = 0.0
        if let training {
            guard case .sgd(let beta, let nesterov) = training.optimizer else { return nil }
            (momentum, isNesterov, decay) = (given ?? beta, nesterov, training.weightDecay)
        }
        // Decay adds to every curvature.
        return
            (isNesterov
            ? 2 * (1 + momentum) / (rate * (1 + 2 * momentum)) : 2 * (1 + momentum) / rate) - decay
    }
}
