import Backend
import Planner

/// The eigen-decomposition of a positive semi-definite kernel on the host in float64, and which part of it is more than
/// rounding.
public struct KernelSpectrum: Sendable {
    /// Rows of the kernel.
    public let size: Int
    /// Eigenvalues, largest first.
    public let values: [Double]
    /// The rounding bound: at or below it an eigenvalue cannot be told from zero.
    public let cutoff: Double
    /// Eigenvalues above the cutoff. Modes beyond the rank count as null: nothing moves them.
    public let rank: Int
    /// Eigenvectors as rows, smallest eigenvalue first.
    private let vectors: [Double]

    /// `(2ε + 4√n·ε₆₄)·‖K‖₁`: how far eigenvalues may be moved by entries with a relative error of 2ε, whose matrix has at most
    /// that share of the largest row sum of magnitudes as its norm, and by a decomposition in float64.
    public static func roundingBound(_ n: Int, oneNorm: Double, epsilon: Double) -> Double {
        (2 * epsilon + 4 * Double(n).squareRoot() * Precision.float64.epsilon) * oneNorm
    }

    /// Decomposes a kernel `[n, n]`, row-major, whose entries were computed with rounding `epsilon`.
    ///
    /// Throws if an entry is not finite, or if the kernel is indefinite: an eigenvalue lies below minus the cutoff.
    public init(_ kernel: [Double], _ n: Int, epsilon: Double) throws(BackendError) {
        let (ascending, vectors) = try HostLinearAlgebra.symmetricEigen(kernel, n)
        (size, self.vectors) = (n, vectors)
        values = ascending.reversed()
        let bound = Self.roundingBound(n, oneNorm: HostLinearAlgebra.oneNorm(kernel, n), epsilon: epsilon)
        cutoff = bound
        rank = values.count { $0 > bound }
        if let smallest = ascending.first, smallest < -bound {
            throw BackendError(
                .program,
                "the kernel is indefinite: its smallest eigenvalue is \(smallest), and rounding explains no more than "
                    + "\(-bound)")
        }
    }

    /// λmax/λmin; infinite where the rank is not full.
    public var conditionNumber: Double {
        rank == size && size > 0 ? values[0] / values[size - 1] : .infinity
    }

    /// `Σ λ/(λ + ridge)` over the modes above the cutoff: how many the ridge leaves free (Zhang 2005).
    public func effectiveDimension(ridge: Double) -> Double {
        values[..<rank].reduce(0) { $0 + $1 / ($1 + ridge) }
    }

    /// `uᵢᵀ·X`: coefficients `[n, columns]` of columns `X` `[n, columns]`, in the order of `values`.
    public func coefficients(of x: [Double], columns: Int) -> [Double] {
        reversedRows(HostLinearAlgebra.product(vectors, x, size, size, columns), columns)
    }

    /// `Σ uᵢ·cᵢ`: columns `[n, columns]` of coefficients `[n, columns]`.
    public func combination(_ coefficients: [Double], columns: Int) -> [Double] {
        HostLinearAlgebra.product(
            vectors, reversedRows(coefficients, columns), size, size, columns, transposeA: true)
    }

    /// The unit eigenvector of `values[index]`.
    public func vector(_ index: Int) -> [Double] {
        Array(vectors[(size - 1 - index) * size..<(size - index) * size])
    }

    private func reversedRows(_ x: [Double], _ columns: Int) -> [Double] {
        (0..<size).reversed().flatMap { x[$0 * columns..<($0 + 1) * columns] }
    }
}
