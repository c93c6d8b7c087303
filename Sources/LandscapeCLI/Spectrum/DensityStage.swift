import Analysis
import Backend
import Foundation
import Report

/// The density of a spectrum.
struct DensityStage {
    let options: MeasureCommand
    let matrix: any LinearOperator
    let folder: RunFolder?

    /// Where probes are kept while they run.
    var store: DensityStore? { folder.map { DensityStore(folder: $0.path("density")) } }

    /// Runs the probes, from where an earlier start was killed.
    func run(avoiding known: KnownEigenpairs?) throws -> SpectralDensity {
        let probes = options.probes
        return try SpectralDensity.estimate(
            matrix, steps: options.lanczosSteps, probes: probes, seed: options.common.seed, avoiding: known,
            options: DensityOptions(memory: basisMemory(), store: store)
        ) {
            Console.progress(
                "density: probe \($0.probe + 1) of \(probes), step \($0.step), Ritz values "
                    + "\(formatSignificant($0.smallest, digits: 4)) to \(formatSignificant($0.largest, digits: 4))"
            )
        }
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

    /// What is told of it; known eigenvalues are nodes as well.
    func summary(_ density: SpectralDensity, _ known: [Double]) -> SpectrumOutput.Density {
        let curve = density.density(DensityCurveOptions(bandwidth: options.bandwidth))
        let isolated = density.isolatedEigenvalues(), beyond = density.resolutionAtZero
        let negative = density.negativeMass(noise: beyond), negativeShare = density.negativeShare
        let share = 1 / Double(density.dimension), squares = density.squaredFrobeniusNorm
        return SpectrumOutput.Density(
            nodes: density.nodes + known, weights: density.weights + known.map { _ in share },
            probes: options.probes, steps: density.rules.map(\.diagonal.count).max() ?? 0,
            bandwidth: curve.bandwidth.value, bandwidthOrigin: curve.bandwidth.origin.rawValue,
            resolution: curve.bandwidth.resolution,
            truncation: density.truncation(bandwidth: curve.bandwidth.value)?.largestChange,
            negativeMass: negative.mean,
            negativeMassInterval: density.negativeMassInterval(noise: beyond).map {
                SpectrumOutput.Interval(lower: $0.lower, upper: $0.upper)
            },
            negativeMassBeyond: beyond, negativeShare: negativeShare.mean,
            negativeShareInterval: SpectrumOutput.Interval(negativeShare),
            outliersAbove: isolated.above.map(\.value), outliersBelow: isolated.below.map(\.value),
            bulkEdges: isolated.bulkEdges, trace: density.trace.mean,
            traceInterval: SpectrumOutput.Interval(density.trace),
            frobeniusNorm: squares.mean.squareRoot(),
            frobeniusNormInterval: SpectrumOutput.Interval(squares).map {
                SpectrumOutput.Interval(
                    lower: max(0, $0.lower).squareRoot(), upper: max(0, $0.upper).squareRoot())
            })
    }
}
