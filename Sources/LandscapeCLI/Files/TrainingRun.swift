import Backend
import Data
import Foundation
import Models
import Planner
import Report
import Training

/// One training inside a folder: checkpoints, metrics as JSON lines, final weights. It goes on from the last
/// checkpoint of an earlier start, and ends with the same files as a run that was never stopped.
struct TrainingRun {
    /// One line of `metrics.jsonl`: a step of training, or an evaluation on test samples after it.
    struct Line: Codable, Equatable {
        var step: Int
        var epoch: Double
        var loss: Double?
        var accuracy: Double?
        var testLoss: Double?
        var testAccuracy: Double?
    }

    let network: Network
    let options: TrainingOptions
    let data: Dataset
    /// Test samples, evaluated after every epoch.
    let test: Evaluator?
    /// Epochs, possibly fractional, at which checkpoints are kept besides those after every `every` epochs.
    let checkpoints: [Double]
    let every: Double
    /// Existing folder for the files.
    let folder: String
    let title: String

    /// Trains to the end. Returns the final weights and all metrics.
    func run(on backend: any Backend, _ precision: Precision) throws -> (weights: Weights, metrics: [Line]) {
        let trainer = try Trainer(
            network, options, inputs: data.inputs.floats, targets: try targets(),
            weights: .initial(network, seed: options.seed), on: backend, precision)
        let format: Safetensors.Format = precision == .float32 ? .float32 : .float64
        let kept = keptSteps(trainer)
        var lines: [Line] = []
        if let last = Checkpoint.steps(in: folder).last(where: { $0 <= trainer.totalSteps }) {
            try trainer.restore(Checkpoint.read(from: folder, step: last, for: network))
            lines = try readMetrics().filter { $0.step <= last }
            if last < trainer.totalSteps, last > 0 { Console.note("\(title): going on from step \(last)") }
        } else {
            try trainer.checkpoint().write(to: folder, for: network, format)
        }
        var progress = ProgressLine(title)
        let (first, began) = (trainer.step, ContinuousClock.now)
        var written = first
        while trainer.step < trainer.totalSteps {
            try trainer.advance()
            let isEpochEnd = trainer.step % trainer.stepsPerEpoch == 0 || trainer.step == trainer.totalSteps
            let isKept = kept.contains(trainer.step)
            if isEpochEnd || isKept || progress.isDue() {
                try trainer.finishRecords()
                append(trainer, &lines, &written)
                let seconds = (ContinuousClock.now - began) / .seconds(1)
                let rate = Double((trainer.step - first) * options.batchSize) / max(seconds, 1e-9)
                progress.show(
                    Double(trainer.step) / Double(trainer.totalSteps),
                    "loss \(formatSignificant(lines.last?.loss ?? 0)), \(formatSignificant(rate)) images/s")
            }
            if isEpochEnd, let test {
                let evaluation = try test.run(trainer.arrays)
                lines.append(
                    Line(
                        step: trainer.step, epoch: trainer.epoch, testLoss: evaluation.loss,
                        testAccuracy: evaluation.accuracy))
            }
            if isKept {
                // Metrics first: a checkpoint never knows more than they do.
                try writeMetrics(lines)
                try trainer.checkpoint().write(to: folder, for: network, format)
            }
        }
        Console.clear()
        try writeMetrics(lines)
        return (try trainer.arrays.weights(backend), lines)
    }

    /// Steps after which a checkpoint is kept; the last one always is.
    private func keptSteps(_ trainer: Trainer) -> Set<Int> {
        let perEpoch = Double(trainer.stepsPerEpoch)
        var steps = Set(checkpoints.map { Int(($0 * perEpoch).rounded()) })
        if every > 0 {
            var k = 1.0
            while k * every <= options.epochs {
                steps.insert(Int((k * every * perEpoch).rounded()))
                k += 1
            }
        }
        return steps.union([trainer.totalSteps])
    }

    private func targets() throws -> [Float] {
        if let targets = data.targets { return targets.floats }
        return try data.oneHot().floats
    }

    private func append(_ trainer: Trainer, _ lines: inout [Line], _ written: inout Int) {
        let fresh = trainer.step - written
        for (offset, record) in trainer.records.suffix(fresh).enumerated() {
            let step = written + offset + 1
            lines.append(
                Line(
                    step: step, epoch: Double(step) / Double(trainer.stepsPerEpoch), loss: record.loss,
                    accuracy: record.accuracy))
        }
        written = trainer.step
    }

    private var metricsPath: String { "\(folder)/metrics.jsonl" }

    private func readMetrics() throws -> [Line] {
        guard FileManager.default.fileExists(atPath: metricsPath) else { return [] }
        let text = String(decoding: try readBytes(metricsPath), as: UTF8.self)
        return try text.split(separator: "\n").map { try JSON.decode(Line.self, Foundation.Data($0.utf8)) }
    }

    private func writeMetrics(_ lines: [Line]) throws {
        var bytes: [UInt8] = []
        for line in lines { bytes += [UInt8](try JSON.encode(line, isPretty: false)) + [10] }
        try writeAtomically(bytes, to: metricsPath)
    }
}

extension [TrainingRun.Line] {
    /// Means over the steps of every epoch: its end, loss and accuracy.
    var perEpoch: [(epoch: Double, loss: Double, accuracy: Double)] {
        let steps = filter { $0.loss != nil }
        let groups = Dictionary(grouping: steps) { Int(($0.epoch - 1e-9).rounded(.down)) }
        return groups.keys.sorted().map { key in
            let group = groups[key]!
            let count = Double(group.count)
            return (
                group.map(\.epoch).max()!, group.reduce(0) { $0 + $1.loss! } / count,
                group.reduce(0) { $0 + ($1.accuracy ?? 0) } / count
            )
        }
    }
}
