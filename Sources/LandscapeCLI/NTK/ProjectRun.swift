import Analysis
import Backend
import Data
import Foundation
import Models
import Planner
import Report
import Training

/// One run of `landscape ntk project`: from samples and weights to features, and to a kernel with its errors.
struct ProjectRun {
    private let options: ProjectCommand
    private let network: Network
    private let samples: Samples

    init(_ options: ProjectCommand, _ network: Network, _ samples: Samples) {
        (self.options, self.network, self.samples) = (options, network, samples)
    }

    private struct Output: Encodable {
        var samples: Int
        var outputs: Int
        var parameters: Int
        var dimensions: Int
        var distribution: String
        var blocks: Int?
        var kind: String
        /// Seconds of the features, and of the kernel if it was asked for.
        var seconds: Double
        var gramSeconds: Double?
        /// `√(2/k)`, what the relative standard error of a diagonal entry is at most about.
        var expectedRelativeError: Double
        /// What it was found to be: the median over the diagonal.
        var medianRelativeError: Double?
        /// Standard errors on either side of an estimate in its 95 % interval.
        var intervalFactor: Double
        /// Gradients whose features are all zero.
        var zeroRows: Int
        var plannedBytes: Int
        var device: String
        var precision: String
    }

    private var isPseudo: Bool { options.kind == .pseudo }
    /// Gradients of a sample.
    private var rows: Int { isPseudo ? 1 : network.outputs }

    func run() throws {
        let common = options.common, projection = options.projection
        guard projection.rowsPerPart <= max(1, network.layout.count) || projection.distribution != .sparse
        else {
            throw CommandError(
                "--dimensions \(options.dimensions): a block of the sparse matrix has \(projection.rowsPerPart) rows, the "
                    + "model only \(network.layout.count) parameters; give fewer dimensions or more --blocks")
        }
        let weights = try options.model.load(network, seed: common.seed)
        let backend = try common.open()
        let budget = try MemoryBudget(
            options.memory, inputs: samples.inputs.count, parameters: network.layout.count, common.precision
        ).left
        let isWide = common.precision == .float64
        var shape = [samples.count, network.outputs, options.dimensions]
        if isPseudo { shape.remove(at: 1) }
        // All files are begun before the work: one that cannot be written is found now.
        var features = try NpyStream(replacing: options.output, shape: shape, isWide: isWide)
        let edge = samples.count * options.kind.rows(network.outputs)
        let gram = try options.gram.map {
            try KernelBands($0, options.errors, edge: edge, isWide: isWide)
        }
        let kernel = ProjectedKernel(
            projection, outputs: network.outputs, kind: options.kind, on: backend)
        if gram != nil { try check(kernel, edge, budget) }
        let clock = ContinuousClock.now
        let (planned, zeros) = try project(weights, backend, budget, to: &features)
        try features.commit()
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        var median: Double?
        if let gram { median = try fill(gram, kernel, edge, budget) }
        let total = (ContinuousClock.now - clock) / .seconds(1)
        let result = Output(
            samples: samples.count, outputs: network.outputs, parameters: network.layout.count,
            dimensions: options.dimensions, distribution: projection.distribution.rawValue,
            blocks: projection.distribution == .sparse ? projection.parts : nil, kind: options.kind.rawValue,
            seconds: seconds, gramSeconds: gram == nil ? nil : total - seconds,
            expectedRelativeError: projection.relativeError, medianRelativeError: median,
            intervalFactor: StudentT(degreesOfFreedom: Double(projection.parts - 1)).intervalFactor(),
            zeroRows: zeros, plannedBytes: planned, device: backend.device.name,
            precision: common.precision.rawValue)
        try show(result)
    }

    /// The features of all samples into their file. Returns the bytes planned for, and how many features are all zero.
    private func project(
        _ weights: Weights, _ backend: any Backend, _ budget: Int, to file: inout NpyStream
    ) throws -> (planned: Int, zeros: Int) {
        let common = options.common, network = network
        let arrays = try NetworkArrays(network, weights, on: backend, common.precision)
        let x = try backend.upload(samples.inputs.doubles, common.precision)
        var settings = GradientProjection.Options()
        (settings.batchSize, settings.memory) = (common.batchSize, budget)
        let projected = try GradientProjection(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: (x, samples.count), sumsOutputs: isPseudo,
            projection: options.projection, settings, on: backend)
        guard projected.plannedBytes <= budget else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little: gradients of \(min(2, samples.count)) samples and "
                    + "a part of the random matrix need \(projected.plannedBytes >> 20) MiB where \(budget >> 20) MiB are "
                    + "left; give more memory, fewer --dimensions or --kind pseudo")
        }
        var line = ProgressLine("features")
        defer { Console.clear() }
        var zeros = 0, first: Int?
        let k = options.dimensions
        for panel in projected.panels {
            let values = try projected.features(panel)
            for row in 0..<values.count / k where values[row * k..<(row + 1) * k].allSatisfy({ $0 == 0 }) {
                zeros += 1
                first = first ?? panel.lowerBound * rows + row
            }
            try file.write(values)
            line.show(Double(panel.upperBound) / Double(samples.count))
        }
        if let first {
            let output = isPseudo ? "" : ", output \(first % rows)"
            Console.note(
                "\(zeros) of \(samples.count * rows) gradients are zero or too small for \(common.precision), and so are "
                    + "their features: the first is that of sample \(first / rows)\(output)")
        }
        return (projected.plannedBytes, zeros)
    }

    /// Throws unless a tile of the kernel and one sample's rows fit.
    private func check(_ kernel: ProjectedKernel, _ edge: Int, _ budget: Int) throws {
        let least = kernel.bytes + bandBytes(1, kernel, edge)
        guard least <= budget else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little for --gram: a tile and a row of samples need "
                    + "\(least >> 20) MiB where \(budget >> 20) MiB are left")
        }
    }

    /// Bytes of the rows of some samples, with their errors, while they are computed and written.
    private func bandBytes(_ samples: Int, _ kernel: ProjectedKernel, _ edge: Int) -> Int {
        samples * kernel.rowsPerSample * edge * 24
    }

    /// Writes the kernel, band by band; returns the median relative error of its diagonal.
    private func fill(
        _ gram: KernelBands, _ kernel: ProjectedKernel, _ edge: Int, _ budget: Int
    ) throws -> Double? {
        let count = samples.count, block = kernel.rowsPerSample
        let features = try FeatureFile(
            options.output, samples: count, line: rows * options.dimensions, options.common.precision)
        let height = min(
            kernel.tile, max(1, (budget - kernel.bytes) / max(1, bandBytes(1, kernel, edge))))
        var relative: [Double] = []
        var line = ProgressLine("kernel")
        defer { Console.clear() }
        for start in stride(from: 0, to: count, by: height) {
            let band = start..<min(start + height, count)
            let left = features.rows(band)
            var estimates = [Double](repeating: 0, count: band.count * block * edge), errors = estimates
            for column in stride(from: 0, to: count, by: kernel.tile) {
                let others = column..<min(column + kernel.tile, count), width = others.count * block
                let found = try kernel.entries(left, features.rows(others))
                for index in found.estimates.indices {
                    let target = index / width * edge + column * block + index % width
                    estimates[target] = found.estimates[index]
                    errors[target] = found.standardErrors[index]
                }
            }
            for row in 0..<band.count * block {
                let diagonal = row * edge + start * block + row
                if estimates[diagonal] > 0 { relative.append(errors[diagonal] / estimates[diagonal]) }
            }
            try gram.write(estimates, errors)
            line.show(Double(band.upperBound) / Double(count))
        }
        try gram.commit()
        relative.sort()
        let middle = relative.count / 2
        if relative.isEmpty { return nil }
        return relative.count % 2 == 1 ? relative[middle] : (relative[middle - 1] + relative[middle]) / 2
    }

    private func show(_ result: Output) throws {
        if options.common.json { return try Console.json(result) }
        func percent(_ value: Double) -> String { "\(formatSignificant(100 * value)) %" }
        let blocks = result.blocks.map { ", \($0) blocks" } ?? ""
        Console.table(
            [
                ("samples", "\(result.samples)"), ("outputs", "\(result.outputs)"),
                ("parameters", "\(result.parameters)"),
                ("projection", "\(result.dimensions) dimensions, \(result.distribution)\(blocks)"),
                ("features", formatSeconds(result.seconds)),
                ("expected relative error of the diagonal", percent(result.expectedRelativeError)),
            ] + (result.gramSeconds.map { [("kernel, \(result.kind)", formatSeconds($0))] } ?? [])
                + (result.medianRelativeError.map {
                    [
                        ("median relative standard error of the diagonal", percent($0)),
                        ("95 % interval", "± \(formatSignificant(result.intervalFactor)) standard errors"),
                    ]
                } ?? []) + (result.zeroRows > 0 ? [("features that are all zero", "\(result.zeroRows)")] : [])
        )
    }
}
