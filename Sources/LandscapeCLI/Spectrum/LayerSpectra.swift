import Analysis
import Backend
import Graph
import Report

/// The spectrum of every layer's own block, and how strongly layers are coupled.
struct LayerSpectra {
    private let options: MeasureCommand
    private let matrix: any LinearOperator
    private let layout: ParameterLayout
    private let risk: Risk

    init(
        _ options: MeasureCommand, _ matrix: any LinearOperator, _ layout: ParameterLayout, _ risk: Risk
    ) {
        (self.options, self.matrix, self.layout, self.risk) = (options, matrix, layout, risk)
    }

    func run() throws -> SpectrumStage.Layers {
        let groups = layout.layers
        let norms = try BlockNorms.estimate(
            matrix, layout, groups: groups.map(\.layout), probes: options.probes, seed: options.common.seed
        ) { Console.progress("blocks of layer \(groups[$0].name)") }
        var layers: [SpectrumOutput.Layer] = []
        for (index, group) in groups.enumerated() {
            layers.append(
                try layer(
                    group.name, group.layout, norms.traces[index],
                    norm: (
                        norms.squares[index * (groups.count + 1)],
                        norms.standardErrors[index * (groups.count + 1)]
                    )))
        }
        return SpectrumStage.Layers(
            layers: layers, norms: norms.squares.map { $0.squareRoot() }, squareErrors: norms.standardErrors)
    }

    private func layer(
        _ name: String, _ parameters: ParameterLayout, _ trace: MeanEstimate,
        norm: (square: Double, error: Double)
    ) throws -> SpectrumOutput.Layer {
        let block = try options.curvature.block(parameters, risk)
        let settings = EigenpairOptions(
            tolerance: options.tolerance, acceptance: options.accept, seed: options.common.seed)
        let top = try Eigenpairs.find(
            .largest, min(options.top ?? 1, block.dimension), of: block, settings,
            progress: { EigenvalueStage.tell("layer \(name)", $0) })
        // The other end is for its sign and size: a few digits do, and where it is zero, that it is nothing beside the largest.
        let coarse = EigenpairOptions(
            tolerance: max(options.tolerance ?? 0, 1e-2), floor: 1e-5, seed: options.common.seed)
        let low = try Eigenpairs.find(
            .smallest, 1, of: block, coarse, progress: { EigenvalueStage.tell("layer \(name)", $0) })
        return SpectrumOutput.Layer(
            layer: name, parameters: parameters.count, eigenvalues: top.values, residuals: top.residuals,
            smallest: low.values[0], smallestResidual: low.residuals[0],
            converged: top.isConverged && low.isConverged, trace: trace.mean,
            traceStandardError: trace.count > 1 ? trace.standardError : nil,
            frobeniusNorm: norm.square.squareRoot(),
            frobeniusNormStandardError: norm.error.isFinite && norm.square > 0
                ? norm.error / (2 * norm.square.squareRoot()) : nil)
    }
}
