import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Models
import Report
import Training

extension Directions.Normalization: ExpressibleByArgument {}

/// The loss along a line, or over a plane, through the weights.
struct SliceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slice", abstract: "The loss along a line, or over a plane, through the weights.",
        discussion: """
            Examples:
              landscape slice --model m.yaml --weights w.safetensors --data digits:test --output runs/slice
              landscape slice --model cnn --weights w.safetensors --inputs x.npy --labels y.npy --dimensions 2 \
            --points 25 --attack pgd --epsilon 0.1 --output runs/plane

            Directions are random, scaled filter by filter to the weights (Li et al. 2018), or your own flat vectors. \
            With an attack, inputs are attacked anew at every point, beside the clean loss. The folder gets the \
            losses, positions and directions as .npy, and a figure with its script and data.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var attack: AttackOptions

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @Option(help: "1 for a line, 2 for a plane.")
    var dimensions = 1

    @Option(help: "Points along each direction; both ends are among them.")
    var points = 21

    @Option(help: "Positions run from minus this to plus this.")
    var radius = 1.0

    @Option(help: "filter, layer or none; filter for random directions and none for your own unless given.")
    var normalization: Directions.Normalization?

    @Option(
        help: "A flat direction [P] as .npy in layout order, instead of a random one; once per dimension.")
    var direction: [String] = []

    @Option(help: "Folder for arrays and the figure.")
    var output: String?

    private struct Output: Encodable {
        var alphas: [Double]
        var betas: [Double]?
        var loss: [[Double]]
        var adversarialLoss: [[Double]]?
        var centre: Double
        var samples: Int
        var normalization: String
        var device: String
        var precision: String
    }

    func validate() throws {
        if !(1...2).contains(dimensions) {
            throw ValidationError("--dimensions is 1 or 2, found \(dimensions)")
        }
        if !(1...10_000).contains(points) {
            throw ValidationError("--points is between 1 and 10,000, found \(points)")
        }
        if !(radius > 0) || !radius.isFinite {
            throw ValidationError("--radius is positive, found \(radius)")
        }
        if !direction.isEmpty, direction.count != dimensions {
            throw ValidationError(
                "--direction is given once per dimension: \(dimensions), found \(direction.count)")
        }
    }

    func run() throws {
        let samples = try data.load(needsTargets: true)
        let network = try model.network(samples)
        try samples.check(network, loss, common.precision, attack.chosen)
        let weights = try model.loadOrStart(network, seed: common.seed)
        let directions = try directions(network, weights)
        let folder = try output.map { try prepare($0) }
        let backend = try common.open()
        let study = try Study(
            network, weights, samples, loss, batchSize: common.batchSize, on: backend, common.precision)
        let uploaded = try directions.map { try backend.upload($0, common.precision) }
        let space = VectorSpace(network.layout.count, on: backend, common.precision)
        let alphas = Slice.positions(from: -radius, to: radius, count: points)
        let betas = dimensions == 2 ? alphas : [0]
        var progress = ProgressLine("slice")
        let slice = try Slice.evaluate(
            at: study.arrays.parameters, along: uploaded, alphas: alphas, betas: betas, in: space,
            progress: { progress.show(Double($0) / Double($1)) }
        ) { point throws(BackendError) in
            let clean = try study.evaluator.run(study.arrays, parameters: point.all).loss
            guard let attack = attack.chosen else { return [clean] }
            let robust = try study.evaluator.run(
                study.arrays, parameters: point.all, attack: attack, seed: common.seed)
            return [clean, robust.loss]
        }
        Console.clear()
        let centre = try study.evaluator.run(study.arrays).loss
        if let folder { try write(slice, directions, to: folder) }
        let rows = slice.values.map { values in
            betas.indices.map { Array(values[$0 * alphas.count..<($0 + 1) * alphas.count]) }
        }
        let result = Output(
            alphas: alphas, betas: dimensions == 2 ? betas : nil, loss: rows[0],
            adversarialLoss: rows.count > 1 ? rows[1] : nil, centre: centre, samples: samples.count,
            normalization: scaling.rawValue, device: backend.device.name,
            precision: common.precision.rawValue)
        if common.json { return try Console.json(result) }
        let all = slice.values[0], finite = all.filter(\.isFinite)
        var table = [
            ("loss at the weights", formatSignificant(centre, digits: 6)),
            ("smallest loss", formatSignificant(finite.min() ?? .nan, digits: 6)),
            ("largest loss", formatSignificant(finite.max() ?? .nan, digits: 6)),
            ("points", "\(all.count)"),
        ]
        if finite.count < all.count {
            table.append(("not finite", "\(all.count - finite.count) of \(all.count)"))
        }
        table.append(("folder", output ?? "none: give --output to keep arrays and a figure"))
        Console.table(table)
    }

    private var scaling: Directions.Normalization { normalization ?? (direction.isEmpty ? .filter : .none) }

    /// Random directions, or those of the files, scaled to the weights.
    private func directions(_ network: Network, _ weights: Weights) throws -> [[Double]] {
        let raw = try direction.map { path in
            let array = try Npy.read(path)
            guard array.shape == [network.layout.count] else {
                throw CommandError("\(path): shape \(array.shape), expected [\(network.layout.count)]")
            }
            if let bad = array.firstNonFinite { throw CommandError("\(path): element \(bad) is not finite") }
            return array.doubles
        }
        return (0..<dimensions).map { index in
            let vector =
                raw.isEmpty ? Directions.random(network.layout, seed: common.seed, index: index) : raw[index]
            return Directions.normalized(vector, to: weights.parameters, network.layout, scaling)
        }
    }

    /// Arrays that not every slice has.
    private static let optionalFiles = ["adversarial-loss.npy", "betas.npy"]

    /// The files of this slice, its figure aside.
    private var arrayFiles: [String] {
        ["loss.npy", "alphas.npy", "directions.npy"] + (attack.chosen == nil ? [] : ["adversarial-loss.npy"])
            + (dimensions == 2 ? ["betas.npy"] : [])
    }

    private func prepare(_ output: String) throws -> ResultFolder {
        try ResultFolder(
            output, of: "slice", mark: "slice.gp", replaces: arrayFiles + ["slice.dat", "slice.svg"],
            optional: Self.optionalFiles)
    }

    private func write(_ slice: Slice, _ directions: [[Double]], to folder: ResultFolder) throws {
        func write(_ values: [Double], _ shape: [Int], _ name: String) throws {
            try Npy.write(NDArray(shape: shape, doubles: values), to: "\(folder.path)/\(name).npy")
        }
        let shape = dimensions == 2 ? [slice.betas.count, slice.alphas.count] : [slice.alphas.count]
        try write(slice.values[0], shape, "loss")
        if slice.values.count > 1 { try write(slice.values[1], shape, "adversarial-loss") }
        try write(slice.alphas, [slice.alphas.count], "alphas")
        if dimensions == 2 { try write(slice.betas, [slice.betas.count], "betas") }
        try write(directions.flatMap { $0 }, [directions.count, directions[0].count], "directions")
        let drawn = try Gnuplot().draw(
            SliceFigure.make(slice, name: "slice", caption: "", loss: loss.rawValue),
            in: URL(fileURLWithPath: folder.path))
        if let note = drawn.note { Console.note(note) }
        try folder.removeOld(except: arrayFiles)
    }
}

/// The figure of a slice.
enum SliceFigure {
    static func make(_ slice: Slice, name: String, caption: String, loss: String) -> Figure {
        let labels = ["clean loss", "adversarial loss"]
        let axis = Axis("α")
        if slice.betas.count == 1 {
            let series = slice.values.enumerated().map { index, values in
                Series(
                    labels[index], x: slice.alphas, y: values, role: index == 0 ? .standard : .adversarial)
            }
            return Figure(
                name: name, title: "Loss along a line through the weights", caption: caption,
                kind: .lines(LinePlot(x: Axis("α", range: range(slice)), y: Axis(loss), series: series)))
        }
        let panels = slice.values.enumerated().map { SurfacePanel(title: labels[$0], z: $1) }
        return Figure(
            name: name, title: "Loss over a plane through the weights", caption: caption,
            kind: .surface(
                SurfacePlot(
                    xAxis: axis, yAxis: Axis("β"), value: Axis(loss), x: slice.alphas, y: slice.betas,
                    panels: panels)))
    }

    /// All positions where some losses are missing, so that the gap shows; nil where the curves reach the ends.
    private static func range(_ slice: Slice) -> ClosedRange<Double>? {
        let hasGaps = slice.values.joined().contains { !$0.isFinite }
        guard hasGaps, let low = slice.alphas.first, let high = slice.alphas.last, low < high,
            (high - low).isFinite
        else { return nil }
        return low...high
    }
}
