import Backend
import Data

/// Traces by Hutchinson's estimator: means of quadratic forms over vectors `z` of random signs, in blocks of as many as
/// the operator takes.
public enum TraceEstimate {
    /// The trace of A: the mean of `⟨z, A·z⟩`.
    public static func hutchinson(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64
    ) throws(BackendError) -> MeanEstimate {
        try mean(matrix, probes: probes, seed: seed) { vector, product throws(BackendError) in
            try matrix.space.dot(vector, product)
        }
    }

    /// The trace of A², which is the sum of squares of its entries: the mean of `‖A·z‖²`.
    ///
    /// Eigenpairs that are known count exactly, and vectors are made orthogonal to them: what dominates the sum then has
    /// no part in its error (the deflation of Hutch++, Meyer et al. 2021).
    public static func squared(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64, known: Eigenpairs? = nil
    ) throws(BackendError) -> MeanEstimate {
        let exact = known?.values.reduce(0) { $0 + $1 * $1 } ?? 0
        return try mean(matrix, probes: probes, seed: seed, avoiding: known) {
            _, product throws(BackendError) in
            let norm = try matrix.space.norm(product)
            return exact + norm * norm
        }
    }

    private static func mean(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64, avoiding known: Eigenpairs? = nil,
        _ form: (_ vector: DeviceSlice, _ product: DeviceSlice) throws(BackendError) -> Double
    ) throws(BackendError) -> MeanEstimate {
        let space = matrix.space
        let rows = max(1, min(matrix.blockSize, probes))
        var vectors: [DeviceArray] = [], products: [DeviceArray] = []
        for _ in 0..<rows {
            vectors.append(try space.vector())
            products.append(try space.vector())
        }
        var samples: [Double] = []
        for first in stride(from: 0, to: probes, by: rows) {
            let count = min(rows, probes - first)
            for row in 0..<count {
                var random = RandomStream(seed: seed, purpose: "trace probe \(first + row)")
                try space.backend.write(random.rademachers(matrix.dimension), to: vectors[row].all)
                guard let known, !known.values.isEmpty else { continue }
                let parts = try space.project(vectors[row].all, on: known.vectors, known.values.count)
                try space.add(vectors[row].all, parts.map { -$0 }, of: known.vectors, into: products[row].all)
                try space.backend.copy(products[row].all, to: vectors[row].all)
            }
            try matrix.apply(vectors[..<count].map(\.all), into: products[..<count].map(\.all))
            for row in 0..<count { samples.append(try form(vectors[row].all, products[row].all)) }
        }
        return MeanEstimate(samples)
    }
}
