import Backend
import Planner

/// A loss, or several, along a line or over a plane through the weights.
public struct Slice: Sendable {
    /// Positions along the first direction.
    public let alphas: [Double]
    /// Positions along the second direction; one zero for a line.
    public let betas: [Double]
    /// `values[k][j·alphas.count + i]` is measure `k` at `alphas[i]`, `betas[j]`.
    public let values: [[Double]]

    /// Evenly spaced positions, both ends included; a single point is the middle.
    public static func positions(from lower: Double, to upper: Double, count: Int) -> [Double] {
        if count == 1 { return [(lower + upper) / 2] }
        return (0..<count).map { i in
            // Exact at both ends, and exactly zero in the middle of a symmetric interval.
            let t = Double(i) / Double(count - 1)
            return lower * (1 - t) + upper * t
        }
    }

    /// Evaluates measures at `weights + α·directions[0] + β·directions[1]`. The weights are never written.
    public static func evaluate(
        at weights: DeviceArray, along directions: [DeviceArray], alphas: [Double], betas: [Double],
        in space: VectorSpace, progress: (Int, Int) -> Void = { _, _ in },
        _ measures: (DeviceArray) throws(BackendError) -> [Double]
    ) throws(BackendError) -> Slice {
        precondition(
            directions.count == 2 || (directions.count == 1 && betas == [0]), "a line has one direction")
        let (row, point) = (try space.vector(), try space.vector())
        var values: [[Double]] = []
        for (j, beta) in betas.enumerated() {
            if directions.count == 2 {
                try space.add(weights.all, beta, directions[1].all, into: row.all)
            } else {
                try space.backend.copy(weights.all, to: row.all)
            }
            for (i, alpha) in alphas.enumerated() {
                try space.add(row.all, alpha, directions[0].all, into: point.all)
                let found = try measures(point)
                if values.isEmpty { values = found.map { _ in [] } }
                for (k, value) in found.enumerated() { values[k].append(value) }
                progress(j * alphas.count + i + 1, alphas.count * betas.count)
            }
        }
        return Slice(alphas: alphas, betas: betas, values: values)
    }
}
