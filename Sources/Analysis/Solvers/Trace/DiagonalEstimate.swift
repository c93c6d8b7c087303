import Backend
import Data

/// The diagonal of an operator: exact where it is small, else the mean of `z ∘ A·z` over vectors of random signs (Bekas,
/// Kokiopoulou and Saad 2007).
public struct DiagonalEstimate: Sendable {
    /// The elements.
    public let elements: [Double]
    /// Their standard errors; zeros where the elements are exact.
    public let standardErrors: [Double]
    /// Products with the operator.
    public let products: Int

    /// Whether the elements are exact up to rounding.
    public var isExact: Bool { products == elements.count }

    /// Estimates a diagonal from `probes` vectors; unit vectors, if there are no more of them than that.
    public static func estimate(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64
    ) throws(BackendError) -> DiagonalEstimate {
        let n = matrix.dimension, space = matrix.space
        if n <= probes { return try exact(matrix) }
        // Running sums: elements and squares of their deviations (Welford 1962).
        var means = [Double](repeating: 0, count: n), squares = means, count = 0.0
        let element = try space.vector()
        _ = try RandomForms(matrix, seed: seed).forms(probes) { vector, product throws(BackendError) in
            try space.multiply(vector, product, into: element.all)
            count += 1
            for (index, value) in try space.backend.download(element.all).enumerated() {
                let deviation = value - means[index]
                means[index] += deviation / count
                squares[index] += deviation * (value - means[index])
            }
        }
        return DiagonalEstimate(
            elements: means,
            standardErrors: squares.map { count > 1 ? ($0 / (count - 1) / count).squareRoot() : .nan },
            products: probes)
    }

    private static func exact(_ matrix: any LinearOperator) throws(BackendError) -> DiagonalEstimate {
        let n = matrix.dimension, space = matrix.space, block = max(1, min(matrix.blockSize, n))
        var elements: [Double] = []
        let units = try space.vectors(block), products = try space.vectors(block)
        for first in stride(from: 0, to: n, by: block) {
            let count = min(block, n - first)
            var values = [Double](repeating: 0, count: block * n)
            for row in 0..<count { values[row * n + first + row] = 1 }
            try space.backend.write(values, to: units.all)
            try matrix.apply(
                (0..<count).map { space.row($0, of: units) },
                into: (0..<count).map { space.row($0, of: products) })
            for row in 0..<count {
                let index = row * n + first + row
                elements += try space.backend.download(products[index..<index + 1])
            }
        }
        return DiagonalEstimate(
            elements: elements, standardErrors: [Double](repeating: 0, count: n), products: n)
    }
}
