import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import Report
import Training

/// One run of `landscape spectrum`: stages that each can be interrupted, then tables, arrays and figures.
struct SpectrumRun {
    let options: MeasureCommand
    let network: Network
    let samples: Samples

    init(_ options: MeasureCommand, _ network: Network, _ samples: Samples) {
        (self.options, self.network, self.samples) = (options, network, samples)
    }

    /// Files of a run.
    static let owned = [
        "eigenvalues.json", "trace.json", "density.json", "layers.json", "result.json", "eigenvectors.npy",
        "diagonal.npy", "diagonal-errors.npy", "density.npy", "log-density-positive.npy",
        "log-density-negative.npy", "block-norms.npy", "eigenvalues", "density", "figures",
    ]

    func run() throws {
        let common = options.common
        if let path = options.saveVectors { try checkWritable(path) }
        let weights = try options.model.loadOrStart(network, seed: common.seed)
        let backend = try common.open()
        if let memory = options.memory {
            backend.limitMemory(
                to: try MemoryBudget(
                    memory, inputs: samples.inputs.count, parameters: network.layout.count, common.precision
                ).left)
        }
        let configuration = try SpectrumConfiguration(options, network, weights, samples)
        let study = try Study(
            network, weights, samples, options.curvature.loss, batchSize: common.batchSize, on: backend,
            common.precision)
        let free = backend.freeMemory
        let (matrix, layout, risk) = try options.curvature.open(
            study, attack: options.attack.chosen, seed: common.seed)
        if let count = options.count, count > matrix.dimension {
            throw CommandError("--top \(count): the matrix has only \(matrix.dimension) rows")
        }
        let loss = try risk.loss()
        guard loss.isFinite else {
            throw CommandError(
                "the loss is \(plain(loss)): the logits are too large for \(common.precision), or the weights are not finite"
            )
        }
        if options.plan {
            return try SpectrumPlan(
                options, matrix, risk, layers: layout?.layers.count ?? 0, freeBefore: free
            ).show()
        }
        let folder = try options.output.map {
            try RunFolder($0, configuration, backend.device, owned: Self.owned)
        }
        let solver = SpectrumSolver(options, matrix, layout, risk, folder)
        defer { Console.clear() }
        var output = SpectrumOutput(
            operator: options.curvature.matrix.rawValue, scaled: options.curvature.scaled,
            subset: options.curvature.subset, cross: options.curvature.cross, classes: samples.classes,
            dimension: matrix.dimension, samples: samples.count, loss: loss, device: backend.device.name,
            precision: common.precision.rawValue)
        try solver.run(into: &output)
        Console.clear()
        if let folder {
            try folder.write(try JSON.encode(output), "result.json")
            try SpectrumFigures(options, output, solver).draw(in: folder)
            try folder.log("done")
        }
        if common.json {
            try Console.json(output)
        } else {
            SpectrumTables(options, output).show(folder?.path)
        }
        if solver.hasFailed { throw ExitCode(1) }
    }
}
