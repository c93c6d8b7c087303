import Analysis
import Backend
import Data
import Foundation
import Models
import Planner
import Report
import Training

/// One run of `landscape ntk spectrum`.
struct KernelSpectrumRun {
    private let options: KernelSpectrumCommand
    private let network: Network
    private let samples: Samples

    init(_ options: KernelSpectrumCommand, _ network: Network, _ samples: Samples) {
        (self.options, self.network, self.samples) = (options, network, samples)
    }

    private struct Output: Encodable {
        struct Density: Encodable {
            var nodes: [Double]
            var weights: [Double]
        }
        var samples: Int
        var outputs: Int
        var parameters: Int
        var kind: String
        var dimension: Int
        /// No kernel has a greater rank.
        var rankBound: Int
        var trace: Double
        /// The largest eigenvalues, the greatest first, and their residuals.
        var eigenvalues: [Double] = [], residuals: [Double] = []
        /// The smallest eigenvalues, the least first.
        var smallest: [Double] = [], smallestResiduals: [Double] = []
        var converged = true
        var conditionNumber: Double?
        /// `(Σλ)²/Σλ²`, with its standard error.
        var effectiveRank: Double?
        var effectiveRankStandardError: Double?
        /// What rounding of the entries typically moves an eigenvalue by.
        var roundingBound: Double?
        var density: Density?
        var seconds: Double
        var device: String
        var precision: String
    }

    func run() throws {
        let common = options.common, network = network
        if let path = options.saveVectors { try checkWritable(path) }
        if options.model.weights == nil {
            Console.note("weights start from seed \(common.seed); --weights gives your own")
        }
        let weights = try options.model.load(network, seed: common.seed)
        let backend = try common.open()
        let left = try MemoryBudget(
            options.memory, inputs: samples.inputs.count, parameters: network.layout.count, common.precision
        ).left
        let arrays = try NetworkArrays(network, weights, on: backend, common.precision)
        let x = (array: try backend.upload(samples.inputs.doubles, common.precision), count: samples.count)
        let kernel = try TangentKernelOperator(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: x, kind: options.kind, batchSize: common.batchSize,
            memory: left / 2, on: backend)
        let top = options.top ?? min(10, kernel.dimension)
        for (name, count) in [("--top", top), ("--bottom", options.bottom)]
        where count > kernel.dimension {
            throw CommandError("\(name) \(count): the kernel has only \(kernel.dimension) eigenvalues")
        }
        let steps = try steps(kernel, top, left)
        let clock = ContinuousClock.now
        defer { Console.clear() }
        Console.progress("the trace of \(kernel.dimension) rows")
        var result = Output(
            samples: samples.count, outputs: network.outputs, parameters: network.layout.count,
            kind: options.kind.rawValue, dimension: kernel.dimension,
            rankBound: min(kernel.dimension, network.layout.count * (perOutput ? network.outputs : 1)),
            trace: try trace(arrays, x, left / 2, backend), seconds: 0, device: backend.device.name,
            precision: common.precision.rawValue)
        let largest = try addEigenvalues(kernel, top, steps, to: &result)
        if options.probes > 0 {
            Console.progress("the effective rank from \(options.probes) vectors")
            let squares = try TraceEstimate.squared(
                kernel, probes: options.probes, seed: common.seed, known: largest)
            result.effectiveRank = result.trace * result.trace / squares.mean
            // Sums of squares have no more digits than products have.
            let rounding = 16 * common.precision.epsilon, error = squares.standardError / squares.mean
            let relative = (error * error + rounding * rounding).squareRoot()
            if squares.mean == 0 { result.effectiveRank = nil }
            if relative.isFinite {
                result.effectiveRankStandardError = relative * result.trace * result.trace / squares.mean
            }
        }
        if options.density {
            Console.progress("the density from \(options.probes) vectors")
            let found = try SpectralDensity.estimate(
                kernel, steps: min(60, steps), probes: options.probes, seed: common.seed)
            result.density = Output.Density(nodes: found.nodes, weights: found.weights)
        }
        result.seconds = (ContinuousClock.now - clock) / .seconds(1)
        Console.clear()
        if common.json { return try Console.json(result) }
        show(result)
    }

    /// Whether the kernel is a sum of one for every output, each of its own rank.
    private var perOutput: Bool { options.kind == .trace || options.kind == .mean }

    /// Lanczos steps that memory has room for: the basis, and itself once more while it grows.
    private func steps(_ kernel: TangentKernelOperator, _ top: Int, _ left: Int) throws -> Int {
        let vector = kernel.dimension * options.common.precision.bytes
        let found = max(top, options.bottom)
        let kept = (3 * found + 40) * vector
        let steps = min(options.lanczosSteps, kernel.dimension, max(0, left / 2 - kept) / (2 * vector))
        guard steps >= min(kernel.dimension, options.lanczosSteps, found + 8) else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little for \(found) eigenvalues of \(kernel.dimension) "
                    + "rows: at least \(kept / vector + 2 * (found + 8)) vectors of \(max(1, vector >> 20)) MiB"
            )
        }
        return steps
    }

    /// The sum of all eigenvalues, from the kernel's diagonal.
    private func trace(
        _ arrays: NetworkArrays, _ x: EmpiricalNTK.Samples, _ memory: Int, _ backend: any Backend
    ) throws -> Double {
        let network = network
        var settings = EmpiricalNTK.Options()
        (settings.batchSize, settings.memory) = (options.common.batchSize, memory)
        (settings.tile, settings.keepsTimes) = (16, false)
        let kernel = try EmpiricalNTK(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: x, kind: options.kind, settings, on: backend)
        guard kernel.plannedBytes <= memory else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little: gradients of two samples need "
                    + "\(kernel.plannedBytes >> 20) MiB where \(memory >> 20) MiB are left")
        }
        let sink = KernelDiagonal(rows: kernel.rows, planes: kernel.planes, options.common.precision)
        try kernel.run(into: sink)
        return sink.elements.reduce(0, +)
    }

    /// Adds both ends of the spectrum; returns the largest eigenvalues with their vectors.
    private func addEigenvalues(
        _ kernel: TangentKernelOperator, _ top: Int, _ steps: Int, to result: inout Output
    ) throws -> Eigenpairs? {
        let settings = EigenpairOptions(
            tolerance: options.tolerance, steps: steps,
            basis: min(steps, max(100, 2 * max(top, options.bottom) + 20)), seed: options.common.seed)
        let pairs: Eigenpairs? =
            top > 0 ? try search("largest", top, kernel, settings) : nil
        if let pairs {
            (result.eigenvalues, result.residuals) = (pairs.values, pairs.residuals)
            result.converged = pairs.isConverged
            result.roundingBound =
                Double(kernel.dimension).squareRoot() * options.common.precision.epsilon
                * abs(pairs.values.first ?? 0)
            if let path = options.saveVectors {
                let vectors = try kernel.space.backend.download(pairs.vectors.all)
                try Npy.write(
                    NDArray(
                        shape: [pairs.values.count, kernel.dimension],
                        doubles: Array(vectors.prefix(pairs.values.count * kernel.dimension))), to: path)
            }
        }
        if options.bottom > 0 {
            let low = try search("smallest", options.bottom, try ScaledOperator(-1, kernel), settings)
            (result.smallest, result.smallestResiduals) = (low.values.map { -$0 }, low.residuals)
            result.converged = result.converged && low.isConverged
            if let top = result.eigenvalues.first, let least = result.smallest.first, low.isConverged,
                least > (result.roundingBound ?? 0)
            {
                result.conditionNumber = top / least
            }
        }
        if !result.converged {
            Console.note(
                "not all eigenvalues converged: see the residuals; more --lanczos-steps or --memory may help")
        }
        return pairs
    }

    private func search(
        _ which: String, _ count: Int, _ matrix: any LinearOperator, _ settings: EigenpairOptions
    ) throws -> Eigenpairs {
        Console.progress("the \(count) \(which) eigenvalues of \(matrix.dimension) rows")
        return try Eigenpairs.largest(count, of: matrix, settings)
    }

    private func show(_ result: Output) {
        var rows = [
            ("kernel", "\(result.dimension) rows, \(result.kind), never formed"),
            ("greatest possible rank", "\(result.rankBound)"),
            ("trace", formatSignificant(result.trace, digits: 8)),
        ]
        if let rank = result.effectiveRank {
            let error = result.effectiveRankStandardError
            rows.append(
                (
                    "effective rank ± standard error",
                    error.map { formatWithError(rank, error: $0) } ?? "\(formatSignificant(rank)) ± unknown"
                ))
        }
        if let bound = result.roundingBound {
            rows.append(("rounding bound", formatSignificant(bound, digits: 3)))
        }
        if let condition = result.conditionNumber {
            rows.append(("condition number", formatSignificant(condition, digits: 6)))
        }
        if let density = result.density { rows.append(("density points", "\(density.nodes.count)")) }
        rows.append(("time", formatSeconds(result.seconds)))
        Console.table(rows)
        for (name, values, residuals) in [
            ("largest eigenvalue", result.eigenvalues, result.residuals),
            ("smallest eigenvalue", result.smallest, result.smallestResiduals),
        ] where !values.isEmpty {
            var table = Report.Table(
                columns: [name, "residual"].map { Report.Column($0, alignment: .right) })
            table.rows = zip(values, residuals).map {
                [
                    Report.Cell(formatSignificant($0, digits: 8)),
                    Report.Cell(formatSignificant($1, digits: 2)),
                ]
            }
            print("\n" + table.text)
        }
    }
}
