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
        /// Samples of the step's batch.
        var samples: Int?
        var testLoss: Double?
        var testAccuracy: Double?
    }

    let network: Network
    let options: TrainingOptions
    /// Training samples.
    let samples: Samples
    /// Test samples, evaluated after every epoch.
    let test: Evaluator?
    /// Epochs, possibly fractional, at which checkpoints are kept besides those after every `every` epochs.
    let checkpoints: [Double]
    let every: Double
    /// Existing folder for metrics and, in `checkpoints`, checkpoints.
    let folder: String
    let title: String

    /// Trains to the end. Returns the final weights and all metrics.
    func run(on backend: any Backend, _ precision: Precision) throws -> (weights: Weights, metrics: [Line]) {
        let trainer = try Trainer(
            network, options, inputs: samples.inputs.floats,
            targets: samples.targetRows(network).map { Float($0) },
            weights: .initial(network, seed: options.seed), on: backend, precision)
        let format: Safetensors.Format = precision == .float32 ? .float32 : .float64
        let kept = keptSteps(trainer)
        try makeFolder(checkpointFolder)
        var lines: [Line] = []
        if let checkpoint = lastCheckpoint(upTo: trainer.totalSteps) {
            try trainer.restore(checkpoint)
            let last = checkpoint.step
            lines = try readMetrics(upTo: last)
            if last < trainer.totalSteps, last > 0 { Console.note("\(title): going on from step \(last)") }
        } else {
            try trainer.checkpoint().write(to: checkpointFolder, for: network, format)
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
                try trainer.checkpoint().write(to: checkpointFolder, for: network, format)
            }
        }
        Console.clear()
        try writeMetrics(lines)
        return (try trainer.arrays.weights(backend), lines)
    }

    /// The last checkpoint that can be read; nil if there is none. Damaged ones are told.
    private func lastCheckpoint(upTo most: Int) -> Checkpoint? {
        for step in Checkpoint.steps(in: checkpointFolder).reversed() where step <= most {
            do {
                return try Checkpoint.read(from: checkpointFolder, step: step, for: network)
            } catch {
                Console.note("\(error); going back to what was before step \(step)")
            }
        }
        return nil
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

    private func append(_ trainer: Trainer, _ lines: inout [Line], _ written: inout Int) {
        let fresh = trainer.step - written
        for (offset, record) in trainer.records.suffix(fresh).enumerated() {
            let step = written + offset + 1
            lines.append(
                Line(
                    step: step, epoch: Double(step) / Double(trainer.stepsPerEpoch), loss: record.loss,
                    accuracy: samples.labels == nil ? nil : record.accuracy, samples: record.samples))
        }
        written = trainer.step
    }

    private var metricsPath: String { "\(folder)/metrics.jsonl" }

    private var checkpointFolder: String { "\(folder)/checkpoints" }

    /// The lines of an earlier start, of steps up to `last`; they must all be there.
    private func readMetrics(upTo last: Int) throws -> [Line] {
        if last == 0 { return [] }
        let text = String(decoding: try readBytes(metricsPath), as: UTF8.self)
        var lines: [Line] = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            guard let line = try? JSON.decode(Line.self, Foundation.Data(line.utf8)) else {
                throw CommandError(
                    "\(metricsPath): line \(number + 1) is damaged; remove the folder and start again")
            }
            if line.step <= last { lines.append(line) }
        }
        guard lines.filter({ $0.loss != nil }).count == last else {
            throw CommandError(
                "\(metricsPath): lines of steps before checkpoint \(last) are missing; remove the folder and start again"
            )
        }
        return lines
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
            // A ragged batch counts by its samples.
            let count = group.reduce(0) { $0 + Double($1.samples ?? 1) }
            func mean(_ value: (TrainingRun.Line) -> Double) -> Double {
                group.reduce(0) { $0 + value($1) * Double($1.samples ?? 1) } / count
            }
            return (group.map(\.epoch).max()!, mean { $0.loss ?? 0 }, mean { $0.accuracy ?? 0 })
        }
    }
}
