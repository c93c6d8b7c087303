import Backend
import Data
import Planner

/// A Lanczos factorisation `A·Q ≈ Q·T` with full reorthogonalisation, done twice in every step.
///
/// Vectors stay on the device; the coefficients of `T` are float64. Vectors in `avoiding` (orthonormal rows) are
/// projected out of every iterate, so the factorisation lives in their complement.
final class Krylov {
    private let matrix: any LinearOperator
    private let space: VectorSpace
    private let avoiding: (rows: DeviceArray, count: Int)?
    private let capacity: Int
    /// Orthonormal Lanczos vectors, one per row; it grows as it fills.
    private(set) var basis: DeviceArray
    /// Diagonal and off-diagonal of `T`; the last off-diagonal element couples to the vector not yet used.
    private(set) var alphas: [Double] = [], betas: [Double] = []
    /// Whether the basis spans an invariant subspace: nothing is left to find from this start.
    private(set) var isInvariant = false
    private let product: DeviceArray, work: DeviceArray

    /// A factorisation of at most `capacity` steps from a start vector, which need not be normalised.
    init(
        _ matrix: any LinearOperator, start: [Double], capacity: Int,
        avoiding: (rows: DeviceArray, count: Int)? = nil
    ) throws(BackendError) {
        (self.matrix, space, self.avoiding) = (matrix, matrix.space, avoiding)
        self.capacity = min(capacity, matrix.dimension - (avoiding?.count ?? 0))
        basis = try space.vectors(max(1, min(self.capacity, 32)))
        product = try space.vector()
        work = try space.vector()
        try space.backend.write(start, to: product.all)
        for _ in 0..<2 { try removeAvoided() }
        let norm = try space.norm(product.all)
        if norm > 0, self.capacity > 0 {
            try space.scale(1 / norm, product.all, into: space.row(0, of: basis))
        } else {
            isInvariant = true
        }
    }

    /// Steps done.
    var steps: Int { alphas.count }
    /// Whether another step is possible.
    var canExtend: Bool { !isInvariant && steps < capacity }
    /// The largest `‖T‖` seen in a row: a lower estimate of `‖A‖` that scales with it.
    var norm: Double {
        alphas.indices.reduce(0) { largest, i in
            max(largest, abs(alphas[i]) + (i > 0 ? betas[i - 1] : 0) + (i < steps - 1 ? betas[i] : 0))
        }
    }

    /// One more step. A coupling that is rounding noise beside `‖A‖` ends the factorisation.
    func extend() throws(BackendError) {
        precondition(canExtend, "the factorisation is complete")
        try matrix.apply(space.row(steps, of: basis), into: product.all)
        try takeProduct()
    }

    /// Extends factorisations of one matrix as far as each goes, with one block product for each step of all.
    static func extendAll(_ block: [Krylov]) throws(BackendError) {
        while true {
            let open = block.filter(\.canExtend)
            guard let matrix = open.first?.matrix else { return }
            try matrix.apply(
                open.map { $0.space.row($0.steps, of: $0.basis) }, into: open.map(\.product.all))
            for krylov in open { try krylov.takeProduct() }
        }
    }

    /// How many factorisations of `steps` steps may run side by side: as many as the operator takes at once, while all
    /// their bases fit into half of the free memory.
    static func blockSize(_ matrix: any LinearOperator, steps: Int, most: Int) -> Int {
        let length = max(1, min(steps, matrix.dimension))
        // A basis is copied when it grows.
        let bytes = 2 * length * matrix.dimension * matrix.space.precision.bytes
        return max(1, min(matrix.blockSize, most, matrix.space.backend.freeMemory / 2 / max(1, bytes)))
    }

    /// The rest of a step, once the product with the last vector is there.
    private func takeProduct() throws(BackendError) {
        var alpha = 0.0
        let current = steps
        for _ in 0..<2 {
            try removeAvoided()
            let coefficients = try space.project(product.all, on: basis, current + 1)
            alpha += coefficients[current]
            try space.add(product.all, coefficients.map { -$0 }, of: basis, into: work.all)
            try space.backend.copy(work.all, to: product.all)
        }
        alphas.append(alpha)
        let beta = try space.norm(product.all)
        betas.append(beta)
        guard alpha.isFinite, beta.isFinite else {
            throw BackendError(
                .device, "the operator gave a vector that is not finite at Lanczos step \(steps)")
        }
        let noise = 16 * space.precision.epsilon * norm
        if beta <= noise || steps == space.dimension - (avoiding?.count ?? 0) {
            isInvariant = true
            betas[steps - 1] = 0
        } else if steps < capacity {
            if steps * space.dimension == basis.count { try grow() }
            try space.scale(1 / beta, product.all, into: space.row(steps, of: basis))
        }
    }

    /// Doubles the room for vectors.
    private func grow() throws(BackendError) {
        let larger = try space.vectors(min(capacity, 2 * steps))
        try space.backend.copy(basis.all, to: larger[0..<basis.count])
        basis = larger
    }

    private func removeAvoided() throws(BackendError) {
        guard let avoiding, avoiding.count > 0 else { return }
        let coefficients = try space.project(product.all, on: avoiding.rows, avoiding.count)
        try space.add(product.all, coefficients.map { -$0 }, of: avoiding.rows, into: work.all)
        try space.backend.copy(work.all, to: product.all)
    }

    /// Eigenvalues of `T`, ascending, its eigenvectors, and the residual bound `β·|last component|` of each.
    func ritz() throws(BackendError) -> (values: [Double], vectors: [[Double]], bounds: [Double]) {
        let (values, flat) = try HostLinearAlgebra.tridiagonalEigen(
            diagonal: alphas, offDiagonal: Array(betas.dropLast()))
        let m = steps
        let vectors = (0..<m).map { Array(flat[$0 * m..<($0 + 1) * m]) }
        return (values, vectors, vectors.map { abs($0[m - 1]) * (betas.last ?? 0) })
    }

    /// The unit vector `Q·s` of the whole space.
    func lift(_ s: [Double], into result: DeviceSlice) throws(BackendError) {
        let zero = try space.vector()
        try space.add(zero.all, s, of: basis, into: work.all)
        let norm = try space.norm(work.all)
        try space.scale(norm > 0 ? 1 / norm : 0, work.all, into: result)
    }
}
