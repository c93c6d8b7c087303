import Analysis
import Backend
import Data
import Models
import Training

/// What decides the numbers of a run: a folder belongs to one of these.
struct SpectrumConfiguration: Codable, Equatable {
    var model: String, weights: String, data: String
    var matrix: String, loss: String, draws: Int, scaled: Bool
    var subset: String?, cross: String?
    var attack: Attack?
    var top: Int?, which: String, tolerance: Double?, accept: EigenpairAcceptance, blockSize: Int,
        eigenvalueProducts: Int?
    var trace: String?, traceProducts: Int
    var density: Bool, lanczosSteps: Int, probes: Int
    var diagonal: Bool, perLayer: Bool
    var seed: UInt64, precision: String, batchSize: Int

    init(_ options: MeasureCommand, _ network: Network, _ weights: Weights, _ samples: Samples) throws {
        let curvature = options.curvature, common = options.common
        model = ModelFile.text(network)
        self.weights = Checksum.digest(weights.parameters + weights.state)
        data =
            Checksum.digest(samples.inputs.doubles) + " " + Checksum.digest(try samples.targetRows(network))
        (matrix, loss, draws) = (curvature.matrix.rawValue, curvature.loss.rawValue, curvature.draws)
        (scaled, subset, cross) = (curvature.scaled, curvature.subset, curvature.cross)
        attack = options.attack.chosen
        (top, which) = (options.count, options.which.rawValue)
        (tolerance, accept) = (options.tolerance, options.accept)
        (blockSize, eigenvalueProducts) = (options.blockSize, options.eigenvalueProducts)
        trace = options.trace.map { accuracy in
            "\(options.method(accuracy).rawValue) \(accuracy.relative.map { "±\($0)" } ?? "")"
        }
        traceProducts = options.traceProducts
        (density, lanczosSteps, probes) = (options.needsDensity, options.lanczosSteps, options.probes)
        (diagonal, perLayer) = (options.diagonal, options.perLayer)
        (seed, precision, batchSize) = (common.seed, common.precision.rawValue, common.batchSize)
    }
}
