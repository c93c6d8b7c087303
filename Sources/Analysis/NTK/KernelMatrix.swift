import Backend
import Data

/// A kernel matrix on the host with the numbers that sum it up.
public struct KernelMatrix: Sendable {
    /// Elements, row-major.
    public let elements: [Double]
    /// Rows and columns.
    public let rows: Int, columns: Int

    /// A matrix from its elements.
    public init(_ elements: [Double], rows: Int, columns: Int) {
        precondition(elements.count == rows * columns, "\(elements.count) elements for \(rows)×\(columns)")
        (self.elements, self.rows, self.columns) = (elements, rows, columns)
    }

    /// Sum of the diagonal.
    public var trace: Double { (0..<min(rows, columns)).reduce(0) { $0 + elements[$1 * columns + $1] } }

    /// Square root of the sum of squares.
    public var frobenius: Double { KernelMatrix.inner(self, self).squareRoot() }

    /// Eigenvalues of a square kernel, ascending.
    public func eigenvalues() throws(BackendError) -> [Double] {
        precondition(rows == columns, "eigenvalues of a \(rows)×\(columns) kernel")
        return try HostLinearAlgebra.symmetricEigenvalues(elements, rows)
    }

    /// `(Σλ)²/Σλ²` of eigenvalues: how many of equal size would spread as widely (participation ratio).
    public static func effectiveRank(_ eigenvalues: [Double]) -> Double {
        let sum = eigenvalues.reduce(0, +), squares = eigenvalues.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? sum * sum / squares : 0
    }

    /// `1 − ⟨K, K'⟩ / (‖K‖·‖K'‖)`: zero for proportional kernels, at most 1 for positive ones
    /// (Fort et al. 2020, section 2). Not centred, blind to scale.
    public static func distance(_ a: KernelMatrix, _ b: KernelMatrix) -> Double {
        precondition(a.rows == b.rows && a.columns == b.columns, "the distance of kernels of two sizes")
        let norms = a.frobenius * b.frobenius
        return norms > 0 ? max(0, 1 - inner(a, b) / norms) : 0
    }

    private static func inner(_ a: KernelMatrix, _ b: KernelMatrix) -> Double {
        // Rows first, then their sums: close to pairwise summation.
        (0..<a.rows).reduce(0) { total, row in
            let range = row * a.columns..<(row + 1) * a.columns
            return total + range.reduce(0) { $0 + a.elements[$1] * b.elements[$1] }
        }
    }
}

/// Kernels at several times of one training run.
public struct KernelTrajectory: Sendable {
    /// Times in epochs, and the kernel at each.
    public let times: [Double]
    /// Distance from the first kernel at each time.
    public let distancesFromStart: [Double]
    /// Distance to the kernel before, per epoch; one element fewer than `times`.
    public let velocities: [Double]

    /// Measures a sequence of kernels.
    public init(_ kernels: [(time: Double, kernel: KernelMatrix)]) {
        times = kernels.map(\.time)
        distancesFromStart = kernels.map { KernelMatrix.distance(kernels[0].kernel, $0.kernel) }
        velocities = zip(kernels, kernels.dropFirst()).map {
            KernelMatrix.distance($0.kernel, $1.kernel) / ($1.time - $0.time)
        }
    }
}
