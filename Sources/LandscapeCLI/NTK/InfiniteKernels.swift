import Analysis
import Backend
import Data
import Foundation
import Models
import Report
import Training

/// `landscape ntk --infinite` and `--width-sweep`: kernels of the infinite-width limit, and how finite networks
/// approach it.
struct InfiniteKernels {
    private let network: Network
    private let samples: Samples, others: Samples?
    private let options: InfiniteOptions, common: CommonOptions
    private let output: String?
    private let limit: InfiniteNetwork

    init(
        _ network: Network, _ samples: Samples, _ others: Samples?, _ options: InfiniteOptions,
        _ common: CommonOptions, output: String?
    ) throws {
        (self.network, self.samples, self.others) = (network, samples, others)
        (self.options, self.common, self.output) = (options, common, output)
        limit = try InfiniteNetwork(network, weightStd: options.weightStd, biasStd: options.biasStd)
    }

    private struct Width: Encodable {
        var width: Int
        /// Relative distance ‖K − Θ‖/‖Θ‖ of single networks, its mean and standard error.
        var distances: [Double]
        var mean: Double
        var standardError: Double
    }

    private struct Output: Encodable {
        var samples: Int
        var samples2: Int?
        var ntkFrobenius: Double
        var nngpFrobenius: Double
        var ntkTrace: Double?
        var nngpTrace: Double?
        var sweep: [Width]?
        /// Slope of log distance against log width: −1/2 where it falls as 1/√width.
        var slope: Double?
    }

    func run() throws {
        let kernels = limit.kernels(samples.inputs.doubles, others?.inputs.doubles)
        let shape = [samples.count, others?.count ?? samples.count]
        if let output {
            try Npy.write(.of(kernels.ntk, shape, .float64), to: output)
            try Npy.write(.of(kernels.nngp, shape, .float64), to: stem(output) + ".nngp.npy")
        }
        let ntk = KernelMatrix(kernels.ntk, rows: shape[0], columns: shape[1])
        let nngp = KernelMatrix(kernels.nngp, rows: shape[0], columns: shape[1])
        let sweep = try options.widths.map { try distances($0, ntk) }
        let result = Output(
            samples: samples.count, samples2: others?.count, ntkFrobenius: ntk.frobenius,
            nngpFrobenius: nngp.frobenius, ntkTrace: others == nil ? ntk.trace : nil,
            nngpTrace: others == nil ? nngp.trace : nil, sweep: sweep.isEmpty ? nil : sweep,
            slope: sweep.count > 1 ? slope(sweep) : nil)
        if !sweep.isEmpty, let output { try draw(sweep, stem(output) + ".sweep") }
        if common.json { return try Console.json(result) }
        func number(_ value: Double) -> String { formatSignificant(value, digits: 6) }
        Console.table(
            [
                ("kernels", "\(shape[0]) × \(shape[1]), of one output"),
                ("NTK, Frobenius norm", number(result.ntkFrobenius)),
                ("NNGP, Frobenius norm", number(result.nngpFrobenius)),
            ] + (result.ntkTrace.map { [("NTK, trace", number($0))] } ?? [])
                + (result.nngpTrace.map { [("NNGP, trace", number($0))] } ?? []))
        if !sweep.isEmpty { show(sweep, result.slope) }
    }

    private func stem(_ path: String) -> String { path.hasSuffix(".npy") ? String(path.dropLast(4)) : path }

    /// Distances of finite networks from the limit.
    private func distances(_ width: Int, _ limit: KernelMatrix) throws -> Width {
        let finite = try network.widened(to: width, weightStd: options.weightStd, biasStd: options.biasStd)
        let backend = try common.open()
        let x = try backend.upload(samples.inputs.doubles, common.precision)
        let x2 = try others.map {
            (array: try backend.upload($0.inputs.doubles, common.precision), count: $0.count)
        }
        var distances: [Double] = []
        for seed in 0..<options.sweepSeeds {
            Console.progress("width \(width), network \(seed + 1) of \(options.sweepSeeds)")
            let weights = Weights.initial(finite, seed: common.seed &+ UInt64(seed))
            let arrays = try NetworkArrays(finite, weights, on: backend, common.precision)
            let kernel = try EmpiricalNTK(
                { finite.forward(batchSize: $0) }, finite.layout, parameters: arrays.parameters,
                fixed: arrays.boundState, x: (x, samples.count), x2: x2, kind: .mean, on: backend
            ).matrix()
            let difference = zip(kernel.elements, limit.elements).reduce(0) {
                $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
            }
            distances.append(difference.squareRoot() / limit.frobenius)
        }
        Console.clear()
        let estimate = MeanEstimate(distances)
        return Width(
            width: width, distances: distances, mean: estimate.mean, standardError: estimate.standardError)
    }

    /// Least squares through the logarithms.
    private func slope(_ sweep: [Width]) -> Double {
        let x = sweep.map { log(Double($0.width)) }, y = sweep.map { log($0.mean) }
        let (a, b) = (MeanEstimate(x).mean, MeanEstimate(y).mean)
        let above = zip(x, y).reduce(0) { $0 + ($1.0 - a) * ($1.1 - b) }
        return above / x.reduce(0) { $0 + ($1 - a) * ($1 - a) }
    }

    private func show(_ sweep: [Width], _ slope: Double?) {
        var table = Report.Table(
            columns: ["width", "distance to the limit", "standard error"].map {
                Report.Column($0, alignment: .right)
            })
        table.rows = sweep.map {
            ["\($0.width)", formatSignificant($0.mean), formatSignificant($0.standardError)].map {
                Report.Cell($0)
            }
        }
        print("\n" + table.text)
        if let slope {
            print("slope of log distance against log width: \(formatSignificant(slope)) (1/√width: −0.5)")
        }
    }

    private func draw(_ sweep: [Width], _ path: String) throws {
        let widths = sweep.map { Double($0.width) }, means = sweep.map(\.mean)
        let reference = widths.map { means[0] * (widths[0] / $0).squareRoot() }
        let errors = sweep.map { $0.standardError.isFinite ? $0.standardError : 0 }
        let figure = Figure(
            name: URL(fileURLWithPath: path).lastPathComponent,
            title: "Finite networks and the infinite-width kernel",
            caption:
                "Relative distance of the empirical kernel at initialisation from the limit, mean over networks.",
            kind: .lines(
                LinePlot(
                    x: Axis("width", isLogarithmic: true), y: Axis("‖K − Θ‖ / ‖Θ‖", isLogarithmic: true),
                    series: [
                        Series(
                            "mean distance", x: widths, y: means,
                            band: Band(
                                lower: zip(means, errors).map { max($0 - $1, $0 / 10) },
                                upper: zip(means, errors).map(+)), style: .lineWithPoints),
                        Series("1/√width", x: widths, y: reference, style: .dashed, role: .reference),
                    ])))
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        _ = try Gnuplot().draw(figure, in: folder)
    }
}
