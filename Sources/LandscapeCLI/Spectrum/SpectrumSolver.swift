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
    private let eigenvalueStage: EigenvalueStage

    /// What the figures show.
    private(set) var eigenvalues: SpectrumStage.Eigenvalues?
    private(set) var density: SpectralDensity?
    private(set) var layers: SpectrumStage.Layers?
    /// Whether something that was asked for has no answer.
    private(set) var hasFailed = false

    init(
        _ options: MeasureCommand, _ matrix: any LinearOperator, _ layout: ParameterLayout?, _ risk: Risk,
        _ folder: RunFolder?
    ) {
        (self.options, self.matrix, self.layout, self.risk, self.folder) = (
            options, matrix, layout, risk, folder
        )
        eigenvalueStage = EigenvalueStage(options, matrix, folder)
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

    private func findEigenvalues(_ count: Int, into output: inout SpectrumOutput) throws {
        let found = try stage("eigenvalues") { try eigenvalueStage.run(count) }
        // What it went on from is not needed any more.
        if let path = eigenvalueStage.statePath { try? FileManager.default.removeItem(atPath: path) }
        eigenvalues = found
        output.which = options.which.rawValue
        (output.eigenvalues, output.residuals) = (found.values, found.residuals)
        output.converged = found.isConverged
        // What is not symmetric has eigenvalues beyond its residuals.
        output.intervals = options.curvature.matrix == .danskin ? nil : found.intervals
        output.errorBounds = options.curvature.matrix == .danskin ? nil : found.bounds
        (output.complete, output.missRisk) = (found.isComplete, found.missRisk)
        output.eigenvalueProducts = found.products
        output.copyProducts = found.copyProducts
        if options.which == .largest, found.isConverged, let gap = EigenvalueStage.largestGap(found.values) {
            (output.largestGapAfter, output.largestGapRatio) = (gap.count, gap.ratio)
        }
        if !found.isConverged {
            Console.note(
                "not all eigenvalues converged: see the residuals; more --eigenvalue-products or --memory may help"
            )
        }
        if let path = options.saveVectors, let kept = eigenvalueStage.vectorsPath, path != kept {
            try writeAtomically(try readBytes(kept), to: path)
        }
    }

    private func trace(_ accuracy: TraceAccuracy) throws -> SpectrumStage.Trace {
        let method = options.method(accuracy)
        let settings = TraceOptions(
            method, products: accuracy.relative == nil ? options.probes : options.traceProducts,
            tolerance: accuracy.relative, seed: seed)
        if matrix.dimension <= (accuracy.relative == nil ? settings.products : min(settings.products, 512)) {
            return try exactTrace()
        }
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

    /// The sum of the diagonal, from as many products as there are rows.
    private func exactTrace() throws -> SpectrumStage.Trace {
        let elements = try DiagonalEstimate.estimate(matrix, probes: matrix.dimension, seed: seed).elements
        let sum = elements.reduce(0, +)
        let error = 16 * options.common.precision.epsilon * elements.reduce(0) { $0 + abs($1) }
        return SpectrumStage.Trace(
            mean: sum, standardError: error,
            interval: SpectrumOutput.Interval(lower: sum - 2 * error, upper: sum + 2 * error),
            method: "exact",
            products: matrix.dimension, isConverged: true)
    }

    private func estimateDensity(into output: inout SpectrumOutput) throws {
        let density = DensityStage(options: options, matrix: matrix, folder: folder)
        let known = try eigenvalues.flatMap { try eigenvalueStage.known($0) }
        let found = try stage("density") { try density.run(avoiding: known) }
        if let store = density.store { try? FileManager.default.removeItem(atPath: store.folder) }
        self.density = found
        if options.density { output.density = density.summary(found, known?.values ?? []) }
        guard let shift = options.shift else { return }
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

    private func estimateDiagonal() throws {
        guard let folder, !folder.exists("diagonal.npy") else { return }
        Console.progress("the diagonal from \(options.probes) vectors")
        let found = try DiagonalEstimate.estimate(matrix, probes: options.probes, seed: seed)
        try folder.write(found.standardErrors, [found.elements.count], "diagonal-errors.npy")
        try folder.write(found.elements, [found.elements.count], "diagonal.npy")
    }
}
