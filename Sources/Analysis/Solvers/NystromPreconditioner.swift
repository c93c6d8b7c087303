import Backend
import Data
import Planner

/// A randomised Nyström preconditioner for `A + ridge·I` with a positive semi-definite A (Frangella, Tropp and Udell 2023,
/// algorithms 2.1 and 5.1). It costs `rank` products with A, in blocks of as many as A takes, and works on any operator.
///
/// With the approximation `U·Λ·Uᵀ` of A, `P⁻¹ = (λᵣ + ridge)·U(Λ + ridge)⁻¹Uᵀ + (I − UUᵀ)`: what is left of the condition number
/// is about `(λᵣ₊₁ + ridge)/(λmin + ridge)`.
public final class NystromPreconditioner {
    /// Approximate eigenvalues of A, largest first; fewer than asked for if A has a lower rank.
    public let eigenvalues: [Double]
    private let space: VectorSpace
    private let basis: DeviceArray
    private let factors: [Double]

    /// Sketches an operator.
    ///
    /// - Parameters:
    ///   - matrix: A, without the ridge.
    ///   - rank: products to spend; at most the dimension.
    /// - Throws: if A is not positive semi-definite, or gives vectors that are not finite.
    public init(
        _ matrix: any LinearOperator, rank: Int, ridge: Double, seed: UInt64
    ) throws(BackendError) {
        let n = matrix.dimension, rank = min(rank, n)
        space = matrix.space
        guard rank > 0, n > 0 else {
            (eigenvalues, factors, basis) = ([], [], try space.vector())
            return
        }
        var random = RandomStream(seed: seed, purpose: "Nystrom sketch")
        let omega = try Self.orthonormal(random.normals(n * rank), n, rank)
        let product = try Self.products(matrix, omega, rank)
        if let bad = product.first(where: { !$0.isFinite }) {
            throw BackendError(
                .device, "the operator gave a vector with \(bad) in the preconditioner's sketch")
        }
        let norm = product.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let found = try Self.approximation(
            product, omega, n, rank, shift: Double(n).squareRoot() * space.precision.epsilon * norm)
        eigenvalues = found.values
        // If all of the spectrum was found, only the ridge is left beside it.
        let rest = found.values.count < rank && ridge > 0 ? 0 : found.values.last ?? 0
        factors = found.values.map { (rest + ridge) / ($0 + ridge) - 1 }
        basis = try space.vectors(max(1, found.values.count))
        if !found.values.isEmpty {
            let rows = HostLinearAlgebra.transposed(found.vectors, n, found.values.count)
            try space.backend.write(rows, to: basis.all)
        }
    }

    /// `result = P⁻¹·vector`. The two do not overlap.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        if factors.isEmpty { return try space.backend.copy(vector, to: result) }
        let projected = try space.project(vector, on: basis, factors.count)
        try space.add(vector, zip(projected, factors).map(*), of: basis, into: result)
    }

    /// Columns `[n, rank]` made orthonormal by Cholesky factors of their Gram matrix, twice. The first columns change least.
    private static func orthonormal(_ columns: [Double], _ n: Int, _ rank: Int) throws(BackendError)
        -> [Double]
    {
        var columns = columns
        for _ in 0..<2 {
            let gram = HostLinearAlgebra.product(columns, columns, rank, n, rank, transposeA: true)
            guard let factor = try HostLinearAlgebra.cholesky(gram, rank) else {
                throw BackendError(.device, "\(rank) vectors of the preconditioner are linearly dependent")
            }
            columns = factor.divide(columns, n)
        }
        return columns
    }

    /// `A·X` for columns X `[n, rank]`.
    private static func products(
        _ matrix: any LinearOperator, _ x: [Double], _ rank: Int
    ) throws(BackendError) -> [Double] {
        let space = matrix.space, n = matrix.dimension, block = max(1, min(matrix.blockSize, rank))
        var rows = HostLinearAlgebra.transposed(x, n, rank)
        let given = try space.vectors(block), results = try space.vectors(block)
        for first in stride(from: 0, to: rank, by: block) {
            let count = min(block, rank - first)
            let range = first * n..<(first + count) * n
            try space.backend.write(Array(rows[range]), to: given[0..<count * n])
            try matrix.apply(
                (0..<count).map { space.row($0, of: given) },
                into: (0..<count).map { space.row($0, of: results) })
            rows.replaceSubrange(range, with: try space.backend.download(results[0..<count * n]))
        }
        return HostLinearAlgebra.transposed(rows, rank, n)
    }

    /// Eigenvalues and orthonormal eigenvectors `[n, count]` of the Nyström approximation from `Y = A·Ω`; the shift, which keeps
    /// the core positive in spite of rounding, is taken off again.
    private static func approximation(
        _ y: [Double], _ omega: [Double], _ n: Int, _ rank: Int, shift: Double
    ) throws(BackendError) -> (values: [Double], vectors: [Double]) {
        guard shift > 0 else { return ([], []) }
        let shifted = zip(y, omega).map { $0 + shift * $1 }
        let core = HostLinearAlgebra.product(omega, shifted, rank, n, rank, transposeA: true)
        let symmetric = (0..<rank * rank).map { index in
            (core[index] + core[index % rank * rank + index / rank]) / 2
        }
        guard let factor = try HostLinearAlgebra.cholesky(symmetric, rank) else {
            throw BackendError(
                .program, "the operator is not positive semi-definite, which conjugate gradients need")
        }
        let b = factor.divide(shifted, n)
        let gram = HostLinearAlgebra.product(b, b, rank, n, rank, transposeA: true)
        let (squares, vectors) = try HostLinearAlgebra.symmetricEigen(gram, rank)
        // Below this, singular vectors from a Gram matrix mean nothing; and below the shift, eigenvalues.
        let floor = max(64 * Double(rank) * Precision.float64.epsilon * squares[rank - 1], 2 * shift)
        let kept = (0..<rank).reversed().filter { squares[$0] > floor }
        if kept.isEmpty { return ([], []) }
        let rows = kept.flatMap { index in
            vectors[index * rank..<(index + 1) * rank].map { $0 / squares[index].squareRoot() }
        }
        let u = HostLinearAlgebra.product(b, rows, n, rank, kept.count, transposeB: true)
        return (kept.map { squares[$0] - shift }, try orthonormal(u, n, kept.count))
    }
}
