import Backend
import Data
import Foundation

/// A spectral density by stochastic Lanczos quadrature: the weighted points of all probes
/// (Golub and Meurant 1994; Ghorbani et al. 2019).
public struct SpectralDensity: Sendable {
    /// Ritz values of all probes.
    public let nodes: [Double]
    /// Their weights; they sum to 1.
    public let weights: [Double]
    /// The points of each probe, as ranges of `nodes`.
    public let probes: [Range<Int>]

    /// A density from its points.
    public init(nodes: [Double], weights: [Double], probes: [Range<Int>]) {
        (self.nodes, self.weights, self.probes) = (nodes, weights, probes)
    }

    /// Runs `probes` factorisations of at most `steps` steps from random vectors, several side by side where the operator
    /// gains by it and memory allows.
    public static func estimate(
        _ matrix: any LinearOperator, steps: Int, probes: Int, seed: UInt64
    ) throws(BackendError) -> SpectralDensity {
        let rows = Krylov.blockSize(matrix, steps: steps, most: probes)
        var nodes: [Double] = [], weights: [Double] = [], ranges: [Range<Int>] = []
        for first in stride(from: 0, to: probes, by: rows) {
            var block: [Krylov] = []
            for probe in first..<min(probes, first + rows) {
                var random = RandomStream(seed: seed, purpose: "spectral probe \(probe)")
                block.append(
                    try Krylov(matrix, start: random.normals(matrix.dimension), capacity: steps))
            }
            try Krylov.extendAll(block)
            for krylov in block {
                let (values, vectors, _) = try krylov.ritz()
                ranges.append(nodes.count..<nodes.count + values.count)
                nodes += values
                weights += vectors.map { $0[0] * $0[0] / Double(probes) }
            }
        }
        return SpectralDensity(nodes: nodes, weights: weights, probes: ranges)
    }

    /// The density on a grid, every point broadened to a normal distribution of the given width, with the
    /// standard error over probes.
    public func smoothed(on grid: [Double], width: Double) -> (density: [Double], standardError: [Double]) {
        let scale = 1 / (width * (2 * Double.pi).squareRoot())
        var density: [Double] = [], errors: [Double] = []
        for x in grid {
            let each = probes.map { probe in
                probe.reduce(0.0) { sum, i in
                    let z = (x - nodes[i]) / width
                    return sum + weights[i] * Double(probes.count) * scale * exp(-z * z / 2)
                }
            }
            let estimate = MeanEstimate(each)
            density.append(estimate.mean)
            errors.append(estimate.standardError)
        }
        return (density, errors)
    }
}
