/// A random matrix R `[k, P]` that keeps inner products on average: features `g(u) = R·u/√k` have
/// `E⟨g(u), g(v)⟩ = ⟨u, v⟩` (Johnson and Lindenstrauss 1984; for gradients of networks, Park et al. 2023).
///
/// Every entry is a function of seed, row (or block) and parameter index alone. The first rows of a larger matrix of
/// independent rows are those of a smaller one.
public struct RandomProjection: Sendable, Hashable {
    /// What entries are drawn from.
    public enum Distribution: String, Sendable, CaseIterable, Codable {
        /// ±1 with equal probability. The variance of `⟨g(u), g(v)⟩` is `(‖u‖²‖v‖² + ⟨u, v⟩² − 2Σuᵢ²vᵢ²)/k`
        /// (Achlioptas 2003).
        case rademacher
        /// Standard normal numbers. The variance is `(‖u‖²‖v‖² + ⟨u, v⟩²)/k`.
        case gaussian
        /// Independent blocks of count sketches: in each block every parameter goes into one of its rows with a random
        /// sign (Kane and Nelson 2014). The variance is that of `rademacher`, the work that of the blocks.
        case sparse
    }

    /// What entries are drawn from.
    public let distribution: Distribution
    /// Number of features k.
    public let dimensions: Int
    /// Number of independent parts whose products are identically distributed: rows, or blocks of a sparse matrix.
    public let parts: Int
    /// The seed of all entries.
    public let seed: UInt64

    /// A projection to `dimensions` features. `blocks`, which must divide `dimensions`, counts for sparse ones only.
    public init(_ distribution: Distribution, dimensions: Int, blocks: Int = 16, seed: UInt64) {
        precondition(dimensions > 0 && dimensions < 1 << 24, "a projection to \(dimensions) dimensions")
        (self.distribution, self.dimensions, self.seed) = (distribution, dimensions, seed)
        parts = distribution == .sparse ? blocks : dimensions
        precondition(
            parts > 0 && dimensions % parts == 0, "\(dimensions) dimensions in \(parts) equal blocks")
    }

    /// Rows of one independent part.
    public var rowsPerPart: Int { dimensions / parts }

    /// What products with R are multiplied by: `1/√parts`.
    public var scale: Double { 1 / Double(parts).squareRoot() }

    /// Bound of the standard error of an estimated `‖u‖²`, relative to it: `√(2/k)`. It is reached by normal entries, and
    /// in the others where no few entries of `u` make up most of it.
    public var relativeError: Double { (2 / Double(dimensions)).squareRoot() }

    /// Features `[n, k]` of vectors `[n, P]` on the host in float64.
    public func features(of vectors: [Double], count: Int) -> [Double] {
        precondition(
            count > 0 && vectors.count % count == 0, "\(vectors.count) elements of \(count) vectors")
        let length = vectors.count / count
        var result = [Double](repeating: 0, count: count * dimensions)
        for part in 0..<parts {
            if distribution == .sparse {
                let (buckets, signs) = buckets(block: part, parameters: 0..<length)
                for vector in 0..<count {
                    let first = vector * dimensions + part * rowsPerPart
                    for index in 0..<length {
                        result[first + buckets[index]] += signs[index] * vectors[vector * length + index]
                    }
                }
            } else {
                let row = row(part, parameters: 0..<length)
                for vector in 0..<count {
                    for index in 0..<length {
                        result[vector * dimensions + part] += row[index] * vectors[vector * length + index]
                    }
                }
            }
        }
        return result.map { $0 * scale }
    }

    /// The estimate of `⟨u, v⟩`, or of its sum over several pairs, from features `[pairs, k]` of both: the mean over the
    /// independent parts, whose spread gives the error bar.
    public func estimate(_ left: [Double], _ right: [Double]) -> MeanEstimate {
        precondition(
            left.count == right.count && left.count % dimensions == 0,
            "features of \(left.count) and \(right.count) elements for \(dimensions) dimensions")
        return MeanEstimate(
            (0..<parts).map { part in
                var sum = 0.0
                for first in stride(from: part * rowsPerPart, to: left.count, by: dimensions) {
                    for index in first..<first + rowsPerPart { sum += left[index] * right[index] }
                }
                return sum * Double(parts)
            })
    }
}
