import Analysis
import Backend
import Data
import Foundation
import Models

/// One run of `landscape ntk regress`: from kernels to predictions, curves and a table.
struct RegressionRun {
    private let options: RegressCommand
    private let kernels: RegressionKernels
    private let samples: Samples, held: Samples?
    private let backend: any Backend
    private let plan: RegressionPlan

    init(
        _ options: RegressCommand, _ kernels: RegressionKernels, _ samples: Samples, _ held: Samples?,
        on backend: any Backend
    ) throws {
        (self.options, self.kernels, self.samples, self.held) = (options, kernels, samples, held)
        self.backend = backend
        plan = try RegressionPlan(options, kernels, samples, held)
        if !plan.isIterative, options.tolerance != nil {
            Console.note("--tolerance has no effect: a Cholesky factor fits, which is exact to rounding")
        }
    }

    private var targets: KernelTargets { kernels.targets }
    private var network: Network { kernels.network }

    func run(_ folder: ResultFolder?) throws {
        let truth = try samples.targetRows(network)
        let heldTruth = try held.flatMap { $0.hasTargets ? try $0.targetRows(network) : nil }
        let start = try kernels.start(samples, on: backend)
        let heldStart = try held.map { try kernels.start($0, on: backend) }
        let residual = zip(truth, start).map { $0 - $1 }

        let matrices = plan.holdsMatrix ? try kernels.matrices(on: backend, memory: plan.deviceMemory) : []
        let spectra = try plan.hasSpectrum ? matrices.map(decomposed) : []
        var result = RegressionResult(targets, options.common.precision, backend.device.name)
        result.spectra = spectra
        let solver = RegressionSolver(options, kernels, plan, on: backend)
        let solved = try solver.solve(matrices, spectra, residual)
        result.take(solved, spectra)
        let filters = filters(spectra, &result)
        result.flows = spectra.enumerated().map { plane, spectrum in
            KernelFlow(
                spectrum, residual: targets.columns(of: residual, plane: plane), columns: targets.columns,
                samples: samples.count)
        }
        result.addAlignment(matrices, truth, epsilon: kernels.epsilon)

        // What is fitted on the samples themselves.
        result.start = RegressionScore(start, truth, samples.labels, network.outputs)
        result.trainPredictions = zip(start, solved.fitted).map(+)
        result.train = RegressionScore(result.trainPredictions, truth, samples.labels, network.outputs)
        for filter in filters {
            var values = start
            add(result.flows.map { $0.change(filter) }, targets, to: &values)
            result.trainCurve.append(RegressionScore(values, truth, samples.labels, network.outputs))
        }
        // And on held-out ones: all coefficients in one pass over their kernel.
        if let held, let heldStart {
            let all = try predictions(held, heldStart, solved.coefficients, result.flows, filters)
            result.heldStart = RegressionScore(heldStart, heldTruth, held.labels, network.outputs)
            result.predictions = all[0]
            result.flow = Array(all.dropFirst())
            result.test = RegressionScore(all[0], heldTruth, held.labels, network.outputs)
            result.testCurve = result.flow.map {
                RegressionScore($0, heldTruth, held.labels, network.outputs)
            }
            result.testSamples = held.count
        }
        try check(result)
        if let folder { try RegressionFiles(result).write(to: folder, filters) }
        if options.common.json { return try Console.json(RegressionOutput(result)) }
        Console.table(RegressionOutput(result).rows(folder: options.output))
    }

    private func decomposed(_ matrix: [Double]) throws -> KernelSpectrum {
        Console.progress("eigenvalues of \(targets.rows) rows")
        defer { Console.clear() }
        do {
            return try KernelSpectrum(matrix, targets.rows, epsilon: kernels.epsilon)
        } catch {
            throw CommandError("\(options.kernel.map { "--kernel \($0): " } ?? "")\(error)")
        }
    }

    /// The filters of all times, which are chosen here unless they were given.
    private func filters(_ spectra: [KernelSpectrum], _ result: inout RegressionResult) -> [SpectralFilter] {
        guard !spectra.isEmpty else { return [] }
        let count = samples.count
        if let rate = options.learningRate {
            let largest = LearningRate.largestStable(lambdaMax: result.lambdaMax, samples: count)
            if rate >= largest {
                Console.note(
                    "--learning-rate \(rate): gradient descent diverges from \(formatted(largest)) on, so that some times may not be finite"
                )
            }
            result.times =
                options.times?.values
                ?? TrainingTimes.steps(spectra, samples: count, learningRate: rate)
            result.learningRate = rate
            return result.times.map { .descent(steps: $0, learningRate: rate) }
        }
        result.times = options.times?.values ?? TrainingTimes.grid(spectra, samples: count)
        return result.times.map { .flow(time: $0) }
    }

    private func add(_ columns: [[Double]], _ targets: KernelTargets, to values: inout [Double]) {
        var change = [Double](repeating: 0, count: values.count)
        for (plane, columns) in columns.enumerated() { targets.place(columns, plane: plane, in: &change) }
        for index in values.indices { values[index] += change[index] }
    }

    /// Predictions `[M, O]` of the regression, then at all times.
    private func predictions(
        _ held: Samples, _ start: [Double], _ solution: [[Double]], _ flows: [KernelFlow],
        _ filters: [SpectralFilter]
    ) throws -> [[Double]] {
        let width = targets.columns, sets = 1 + filters.count, columns = width * sets
        let factors = solution.enumerated().map { plane, solution in
            let all = [solution] + filters.map { flows[plane].dual($0) }
            return interleaved(all, rows: targets.rows, width: width)
        }
        let products = try kernels.product(
            held, factors, columns: columns, on: backend, memory: plan.deviceMemory)
        let heldTargets = KernelTargets(targets.kind, samples: held.count, outputs: network.outputs)
        return (0..<sets).map { set in
            var values = start
            let parts = products.map { product in
                (0..<heldTargets.rows * width).map {
                    product[$0 / width * columns + set * width + $0 % width]
                }
            }
            add(parts, heldTargets, to: &values)
            return values
        }
    }

    /// `[rows, sets·width]` from sets of `[rows, width]`.
    private func interleaved(_ sets: [[Double]], rows: Int, width: Int) -> [Double] {
        (0..<rows).flatMap { row in sets.flatMap { $0[row * width..<(row + 1) * width] } }
    }

    private func check(_ result: RegressionResult) throws {
        for values in [result.trainPredictions, result.predictions ?? []] {
            guard let bad = values.first(where: { !$0.isFinite }) else { continue }
            throw CommandError(
                "a prediction is \(plain(bad)): the kernel or the residuals are too large for float64")
        }
    }
}
