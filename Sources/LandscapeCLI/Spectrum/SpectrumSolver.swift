import Analysis
import Backend
import Data
import Foundation
import Graph
import Planner
import Report

/// The stages of a spectrum, in order. With a folder, each is kept there and read again if it was finished before.
final class SpectrumSolver {
    private let options: MeasureCommand
    private let matrix: any LinearOperator
    private let layout: ParameterLayout?
    private let risk: Risk
    private let folder: RunFolder?

    /// What the figures show.
    private(set) var eigenvalues: SpectrumStage.Eigenvalues?
    private(set) var density: SpectralDensity?
    private(set) var layers: SpectrumStage.Layers?
    /// Whether something that was asked for has no answer.
    private(set) var hasFailed = false
    /// Eigenvectors that were found just now.
    private var vectors: DeviceArray?

    init(
        _ options: MeasureCommand, _ matrix: any LinearOperator, _ layout: ParameterLayout?, _ risk: Risk,
        _ folder: RunFolder?
    ) {
        (self.options, self.matrix, self.layout, self.risk, self.folder) = (
            options, matrix, layout, risk, folder
        )
    }

    private var seed: UInt64 { options.common.seed }

    func run(into output: inout SpectrumOutput) throws {
        if let count = options.count {
            try findEigenvalues(count, into: &output)
        }
        if let accuracy = options.trace {
            let trace = try stage("trace") { try self.trace(accuracy) }
            (output.trace, output.traceStandardError, output.traceInterval) =
                (trace.mean, trace.standardError, trace.interval)
            (output.traceMethod, output.traceProducts) = (trace.method, trace.products)
            output.traceConverged = trace.isConverged
            if !trace.isConverged {
                Console.note(
                    "the trace is not as accurate as asked for after \(trace.products) products: see its interval; more "
                        + "--trace-products help")
            }
        }
        if options.needsDensity { try estimateDensity(into: &output) }
        if options.diagonal { try estimateDiagonal() }
        if options.perLayer {
            guard let layout else { preconditionFailure("a matrix without layers") }
            let found = try stage("layers") {
                try LayerSpectra(options, matrix, layout, risk).run()
            }
            layers = found
            output.layers = found.layers
            if found.layers.contains(where: { !$0.converged }) {
                Console.note("not all eigenvalues of layers converged: see their residuals")
            }
        }
    }

    /// A stage, kept in the folder if there is one.
    private func stage<Result: Codable>(_ name: String, _ body: () throws -> Result) throws -> Result {
        guard let folder else { return try body() }
        return try folder.stage(name, body)
    }

    // MARK: Eigenvalues

    private func findEigenvalues(_ count: Int, into output: inout SpectrumOutput) throws {
        let found = try stage("eigenvalues") { try search(count) }
        // What it went on from is not needed any more.
        if let folder { try? FileManager.default.removeItem(atPath: folder.path("eigenvalues")) }
        eigenvalues = found
        output.which = options.which.rawValue
        (output.eigenvalues, output.residuals) = (found.values, found.residuals)
        output.converged = found.isConverged
        // What is not symmetric has eigenvalues beyond its residuals.
        output.intervals = options.curvature.matrix == .danskin ? nil : found.intervals
        (output.complete, output.missRisk) = (found.isComplete, found.missRisk)
        output.eigenvalueProducts = found.products
        (output.copyProducts, output.proofProducts) = (found.copyProducts, found.proofProducts)
        if options.which == .largest, let gap = Self.largestGap(found.values) {
            (output.largestGapAfter, output.largestGapRatio) = (gap.count, gap.ratio)
        }
        if !found.isConverged {
            Console.note(
                "not all eigenvalues converged: see the residuals; more --eigenvalue-products or --memory may help"
            )
        }
        if let path = options.saveVectors, path != vectorsPath {
            try writeAtomically(try readBytes(vectorsPath), to: path)
        }
    }

    /// Between which neighbours of positive values, largest first, the factor is largest; nil for fewer than three.
    private static func largestGap(_ values: [Double]) -> (count: Int, ratio: Double)? {
        let positive = values.prefix { $0 > 0 }
        guard positive.count > 2 else { return nil }
        return zip(positive, positive.dropFirst()).enumerated().map { ($0 + 1, $1.0 / $1.1) }.max {
            $0.1 < $1.1
        }
    }

    /// Where the eigenvectors are kept.
    private var vectorsPath: String {
        folder?.path("eigenvectors.npy") ?? options.saveVectors ?? ""
    }

    private func search(_ count: Int) throws -> SpectrumStage.Eigenvalues {
        var settings = EigenpairOptions(
            tolerance: options.tolerance, blockSize: options.blockSize, seed: seed)
        settings.products = options.eigenvalueProducts
        let store = folder?.path("eigenvalues")
        let state = try store.flatMap { try EigenpairState.read($0) }
        if state != nil { Console.note("going on with the eigenvalues") }
        if store != nil { settings.saveEvery = 50 }
        let title = "\(count) eigenvalues"
        func keep(_ state: EigenpairState) throws(BackendError) {
            if let store { try state.write(to: store) }
        }
        let pairs = try Eigenpairs.find(
            options.which, count, of: matrix, settings, resuming: state,
            progress: { Self.tell(title, $0) }, save: store == nil ? nil : keep)
        vectors = pairs.vectors
        if !vectorsPath.isEmpty {
            var stream = try NpyStream(
                replacing: vectorsPath, shape: [pairs.values.count, matrix.dimension],
                isWide: options.common.precision == .float64)
            for row in pairs.rows { try stream.write(try matrix.space.backend.download(row)) }
            try stream.commit()
        }
        return SpectrumStage.Eigenvalues(
            values: pairs.values, residuals: pairs.residuals,
            intervals: pairs.errors.map {
                SpectrumOutput.Interval(lower: $0.interval.lowerBound, upper: $0.interval.upperBound)
            }, isConverged: pairs.isConverged, isComplete: pairs.isComplete, missRisk: pairs.missRisk,
            products: pairs.applications, copyProducts: pairs.checkApplications,
            proofProducts: pairs.proofApplications, history: pairs.history)
    }

    /// A line with the Ritz values that converge.
    static func tell(_ title: String, _ progress: EigenpairProgress) {
        let pairs = zip(progress.values, progress.bounds).prefix(4).map {
            "\(formatSignificant($0, digits: 4)) ± \(formatSignificant($1, digits: 1))"
        }
        Console.progress(
            "\(title): \(progress.products) products, \(progress.locked) found: \(pairs.joined(separator: ", "))"
        )
    }

    // MARK: Trace

    private func trace(_ accuracy: TraceAccuracy) throws -> SpectrumStage.Trace {
        let method = options.method(accuracy)
        let settings = TraceOptions(
            method, products: accuracy.relative == nil ? options.probes : options.traceProducts,
            tolerance: accuracy.relative, seed: seed)
        let found = try TraceEstimate.estimate(matrix, settings) { products, mean, error in
            Console.progress(
                "trace: \(products) products, \(formatSignificant(mean, digits: 5)) ± \(formatSignificant(error, digits: 2))"
            )
        }
        // A single probe tells nothing about its error.
        let error = found.standardError.isFinite ? found.standardError : nil
        return SpectrumStage.Trace(
            mean: found.mean, standardError: error,
            interval: error.map { _ in
                SpectrumOutput.Interval(lower: found.interval.lower, upper: found.interval.upper)
            }, method: method.rawValue, products: found.products, isConverged: found.isConverged)
    }

    // MARK: Density

    private func estimateDensity(into output: inout SpectrumOutput) throws {
        let (known, values) = try knownPairs()
        let store = folder.map { DensityStore(folder: $0.path("density")) }
        let found = try stage("density") {
            let probes = options.probes
            return try SpectralDensity.estimate(
                matrix, steps: options.lanczosSteps, probes: probes, seed: seed, avoiding: known,
                options: DensityOptions(memory: basisMemory(), store: store)
            ) {
                Console.progress(
                    "density: probe \($0.probe + 1) of \(probes), step \($0.step), Ritz values "
                        + "\(formatSignificant($0.smallest, digits: 4)) to \(formatSignificant($0.largest, digits: 4))"
                )
            }
        }
        if let store { try? FileManager.default.removeItem(atPath: store.folder) }
        density = found
        if options.density { output.density = summary(found, values) }
        if let shift = options.shift {
            do {
                let estimate = try found.logDeterminant(shift: shift)
                output.logDeterminant = estimate.mean
                output.logDeterminantInterval = SpectrumOutput.Interval(estimate)
                output.logDeterminantShift = shift
            } catch {
                // The rest is good, and is kept.
                Console.note("--log-det \(shift): \(error)")
                hasFailed = true
            }
        }
    }

    /// Eigenpairs that the density counts exactly: those that were found, if all of them converged.
    private func knownPairs() throws -> (KnownEigenpairs?, [Double]) {
        guard let eigenvalues, eigenvalues.isConverged, eigenvalues.values.count < matrix.dimension else {
            return (nil, [])
        }
        let array =
            if let vectors { vectors } else { try storedVectors(eigenvalues.values.count) }
        return (KnownEigenpairs(values: eigenvalues.values, vectors: array), eigenvalues.values)
    }

    /// Eigenvectors of an earlier start, row by row.
    private func storedVectors(_ count: Int) throws -> DeviceArray {
        let space = matrix.space, file = try MappedMatrix(vectorsPath)
        guard file.shape == [count, matrix.dimension] else {
            throw CommandError(
                "\(vectorsPath): shape \(file.shape), expected [\(count), \(matrix.dimension)]; remove the folder and start again"
            )
        }
        let vectors = try space.vectors(count)
        for row in 0..<count {
            try space.backend.write(file.doubles(row..<row + 1), to: space.row(row, of: vectors))
        }
        return vectors
    }

    /// Where Lanczos vectors live: what the products need comes first.
    private func basisMemory() -> BasisMemory {
        let free = matrix.space.backend.freeMemory
        var memory = BasisMemory.standard(matrix.space.backend)
        memory.device = free / 2
        if options.memory != nil { memory.host = 0 }
        memory.scratch = folder?.path ?? NSTemporaryDirectory()
        return memory
    }

    private func summary(_ density: SpectralDensity, _ known: [Double]) -> SpectrumOutput.Density {
        let curve = density.density(DensityCurveOptions(bandwidth: options.bandwidth))
        let isolated = density.isolatedEigenvalues(), beyond = density.resolutionAtZero
        let negative = density.negativeMass(noise: beyond), negativeShare = density.negativeShare
        let share = 1 / Double(density.dimension)
        return SpectrumOutput.Density(
            nodes: density.nodes + known, weights: density.weights + known.map { _ in share },
            probes: options.probes, steps: density.rules.map(\.diagonal.count).max() ?? 0,
            bandwidth: curve.bandwidth.value, bandwidthOrigin: curve.bandwidth.origin.rawValue,
            resolution: curve.bandwidth.resolution,
            truncation: density.truncation(bandwidth: curve.bandwidth.value)?.largestChange,
            negativeMass: negative.mean, negativeMassInterval: SpectrumOutput.Interval(negative),
            negativeMassBeyond: beyond, negativeShare: negativeShare.mean,
            negativeShareInterval: SpectrumOutput.Interval(negativeShare),
            outliersAbove: isolated.above.map(\.value), outliersBelow: isolated.below.map(\.value),
            bulkEdges: isolated.bulkEdges, trace: density.trace.mean,
            traceInterval: SpectrumOutput.Interval(density.trace),
            frobeniusNorm: density.squaredFrobeniusNorm.mean.squareRoot())
    }

    // MARK: Diagonal

    private func estimateDiagonal() throws {
        guard let folder, !folder.exists("diagonal.npy") else { return }
        Console.progress("the diagonal from \(options.probes) vectors")
        let found = try DiagonalEstimate.estimate(matrix, probes: options.probes, seed: seed)
        try folder.write(found.standardErrors, [found.elements.count], "diagonal-errors.npy")
        try folder.write(found.elements, [found.elements.count], "diagonal.npy")
    }
}
