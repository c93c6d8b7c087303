import Analysis
import Backend
import Data
import Foundation
import Models
import Planner
import Report
import Training

/// One run of `landscape spectrum track`.
struct TrackRun {
    /// What was found at one checkpoint.
    struct Line: Codable {
        var checkpoint: String
        var step: Int
        var epoch: Double?
        var loss: Double
        var eigenvalues: [Double], residuals: [Double]
        var converged: Bool
        var trace: Double?, traceInterval: SpectrumOutput.Interval?
        /// The share of eigenvalues below `-negativeMassBeyond`, within which the quadrature tells no sign.
        var negativeMass: Double?, negativeMassInterval: SpectrumOutput.Interval?
        var negativeMassBeyond: Double?
        /// Σ|λ| over negative eigenvalues as a part of that over all.
        var negativeShare: Double?, negativeShareInterval: SpectrumOutput.Interval?
        var learningRate: Double?
        /// The curvature at which descent stops to be stable.
        var stableCurvature: Double?
        var products: Int
    }

    private struct Output: Encodable {
        var checkpoints: [Line]
        var dimension: Int
        var samples: Int
        var device: String
        var precision: String
    }

    private struct Configuration: Codable, Equatable {
        var model: String, data: String, loss: String
        var top: Int, probes: Int, lanczosSteps: Int, tolerance: Double, coldStart: Bool, every: Int
        var learningRate: Double?, momentum: Double?
        var seed: UInt64, precision: String, batchSize: Int
    }

    private let options: TrackCommand
    init(_ options: TrackCommand) { self.options = options }

    func run() throws {
        let training = try TrackedTraining(options), common = options.common
        var data = options.data
        if data.inputs == nil, data.data == nil {
            guard let name = training.data else {
                throw CommandError("no samples: give --inputs x.npy, or --data NAME[:SPLIT[:COUNT]]")
            }
            data.data = name
        }
        let samples = try data.load(needsTargets: true)
        let network = try ModelOptions.network(training.model, samples)
        let loss = options.loss ?? training.training?.loss ?? .crossEntropy
        try samples.check(network, loss, common.precision)
        let backend = try common.open()
        let points = training.points.enumerated().filter {
            $0.offset % options.every == 0 || $0.offset == training.points.count - 1
        }.map(\.element)
        let folder = try options.output.map {
            try RunFolder(
                $0,
                Configuration(
                    model: ModelFile.text(network),
                    data: Checksum.digest(samples.inputs.doubles) + " "
                        + Checksum.digest(try samples.targetRows(network)), loss: loss.rawValue,
                    top: options.top, probes: options.probes, lanczosSteps: options.lanczosSteps,
                    tolerance: options.tolerance, coldStart: options.coldStart, every: options.every,
                    learningRate: options.learningRate, momentum: options.momentum, seed: common.seed,
                    precision: common.precision.rawValue, batchSize: common.batchSize),
                backend.device, owned: ["track.json", "checkpoints"])
        }
        let kept = try folder.map { TrackStore(folder: try $0.folder("checkpoints")) }
        var lines: [Line] = [], vectors: [Double]?
        defer { Console.clear() }
        for (index, point) in points.enumerated() {
            let weights = try Weights.read(point.path, for: network)
            let digest = Checksum.digest(weights.parameters + weights.state)
            if let (line, found) = try kept?.read(index, digest) {
                lines.append(line)
                vectors = found
                continue
            }
            let study = try Study(
                network, weights, samples, loss, batchSize: common.batchSize, on: backend, common.precision)
            let title = "checkpoint \(index + 1) of \(points.count)"
            let (line, found) = try measure(
                point, study, training, from: options.coldStart ? nil : vectors, title)
            try kept?.write(index, digest, line, found, network.layout.count, common.precision)
            lines.append(line)
            vectors = found
        }
        Console.clear()
        let output = Output(
            checkpoints: lines, dimension: network.layout.count, samples: samples.count,
            device: backend.device.name, precision: common.precision.rawValue)
        if let folder {
            try folder.write(try JSON.encode(output), "track.json")
            let target = URL(fileURLWithPath: try folder.folder("figures"))
            if let note = try Gnuplot().draw(TrackFigure(lines, samples.count).figure, in: target).note {
                Console.note(note)
            }
        }
        if common.json { return try Console.json(output) }
        show(lines, folder?.path)
    }

    private func measure(
        _ point: TrackedTraining.Point, _ study: Study, _ training: TrackedTraining, from start: [Double]?,
        _ title: String
    ) throws -> (Line, [Double]) {
        let risk = try study.risk(), hessian = try CurvatureOperator(.hessian, of: risk)
        let space = hessian.space, count = min(options.top, hessian.dimension), seed = options.common.seed
        let rows = try start.map { try space.backend.upload($0, options.common.precision) }
        let pairs = try Eigenpairs.find(
            .largest, count, of: hessian, EigenpairOptions(tolerance: options.tolerance, seed: seed),
            start: rows.map { rows in (0..<rows.count / space.dimension).map { space.row($0, of: rows) } }
                ?? [],
            progress: { EigenvalueStage.tell(title, $0) })
        var line = Line(
            checkpoint: point.path, step: point.step, epoch: point.epoch, loss: try risk.loss(),
            eigenvalues: pairs.values, residuals: pairs.residuals, converged: pairs.isConverged,
            learningRate: point.learningRate,
            stableCurvature: training.stableCurvature(point.learningRate, momentum: options.momentum),
            products: pairs.applications)
        if options.probes > 0 {
            Console.progress("\(title): trace and negative mass from \(options.probes) vectors")
            // What was found counts exactly.
            let known =
                pairs.isConverged && count < hessian.dimension
                ? KnownEigenpairs(values: pairs.values, vectors: pairs.vectors) : nil
            let density = try SpectralDensity.estimate(
                hessian, steps: options.lanczosSteps, probes: options.probes, seed: seed, avoiding: known)
            let beyond = density.resolutionAtZero, share = density.negativeShare
            let (trace, mass) = (density.trace, density.negativeMass(noise: beyond))
            line.negativeMassBeyond = beyond
            (line.negativeShare, line.negativeShareInterval) = (share.mean, SpectrumOutput.Interval(share))
            (line.trace, line.traceInterval) = (trace.mean, SpectrumOutput.Interval(trace))
            line.negativeMass = mass.mean
            line.negativeMassInterval = density.negativeMassInterval(noise: beyond).map {
                SpectrumOutput.Interval(lower: $0.lower, upper: $0.upper)
            }
            line.products += density.rules.reduce(0) { $0 + $1.diagonal.count }
        }
        return (line, try space.backend.download(pairs.vectors.all))
    }

    private func show(_ lines: [Line], _ folder: String?) {
        var columns = [
            lines.contains { $0.epoch != nil } ? "epoch" : "checkpoint", "loss", "λ₁", "stable up to",
        ]
        if options.probes > 0 { columns += ["trace", "below −δ", "δ", "of Σ|λ|"] }
        columns.append("products")
        var table = Report.Table(columns: columns.map { Report.Column($0, alignment: .right) })
        table.rows = lines.map { line in
            var cells = [
                line.epoch.map { formatSignificant($0, digits: 3) } ?? "\(line.step)",
                formatSignificant(line.loss, digits: 4),
                formatSignificant(line.eigenvalues.first ?? .nan, digits: 5) + (line.converged ? "" : " ?"),
                line.stableCurvature.map { formatSignificant($0, digits: 4) } ?? "–",
            ]
            if options.probes > 0 {
                cells += [
                    formatSignificant(line.trace ?? .nan, digits: 4),
                    formatSignificant(line.negativeMass ?? .nan, digits: 3),
                    formatSignificant(line.negativeMassBeyond ?? .nan, digits: 2),
                    formatSignificant(line.negativeShare ?? .nan, digits: 3),
                ]
            }
            return (cells + ["\(line.products)"]).map { Report.Cell($0) }
        }
        print(table.text)
        if let folder { print("\nfolder: \(folder)") }
    }
}
