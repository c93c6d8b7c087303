import Backend
import Data
import Planner

/// A Lanczos factorisation `A·Q ≈ Q·T` with full reorthogonalisation, done twice in every step.
///
/// The coefficients of `T` are float64 on the host; vectors live where `memory` has room. Vectors in `avoiding`
/// (orthonormal rows) are projected out of every iterate, so the factorisation lives in their complement.
final class Krylov {
    private let matrix: any LinearOperator
    private let space: VectorSpace
    private let avoiding: (rows: DeviceArray, count: Int)?
    private let capacity: Int
    /// Orthonormal Lanczos vectors.
    let basis: KrylovBasis
    /// Diagonal and off-diagonal of `T`; the last off-diagonal element couples to the vector not yet used.
    private(set) var alphas: [Double] = [], betas: [Double] = []
    /// Whether the basis spans an invariant subspace: nothing is left to find from this start.
    private(set) var isInvariant = false
    private var product: DeviceArray, work: DeviceArray
    private let checkpoint: KrylovCheckpoint?
    /// Steps that were done before and are done again.
    private var expected: KrylovState?

    /// A factorisation of at most `capacity` steps from a start vector, which need not be normalised, or from what a
    /// checkpoint has.
    init(
        _ matrix: any LinearOperator, start: @autoclosure () -> [Double], capacity: Int,
        avoiding: (rows: DeviceArray, count: Int)? = nil, memory: BasisMemory = .unlimited,
        checkpoint: KrylovCheckpoint? = nil
    ) throws(BackendError) {
        (self.matrix, space, self.avoiding) = (matrix, matrix.space, avoiding)
        (self.capacity, self.checkpoint) = (
            min(capacity, matrix.dimension - (avoiding?.count ?? 0)), checkpoint
        )
        basis = try KrylovBasis(space, capacity: self.capacity, memory: memory, file: checkpoint?.file)
        product = try space.vector()
        work = try space.vector()
        if let state = checkpoint?.state {
            (alphas, betas, isInvariant, expected) = (state.alphas, state.betas, state.isInvariant, state)
            try basis.load(state.checksums.count)
            return
        }
        try space.backend.write(start(), to: product.all)
        for _ in 0..<2 { try removeAvoided() }
        let norm = try space.norm(product.all)
        if norm > 0, self.capacity > 0 { try basis.append(1 / norm, product.all) } else { isInvariant = true }
        try save()
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
        try matrix.apply(basis.latest, into: product.all)
        try takeProduct()
    }

    /// One more step of each of several factorisations of one matrix, with one block product.
    static func extend(_ block: [Krylov]) throws(BackendError) {
        precondition(block.allSatisfy(\.canExtend), "the factorisation is complete")
        guard let matrix = block.first?.matrix else { return }
        try matrix.apply(block.map(\.basis.latest), into: block.map(\.product.all))
        for krylov in block { try krylov.takeProduct() }
    }

    /// Goes back to the state after `steps` steps. Steps that are done again must come out as they were.
    func rollBack(to steps: Int) throws(BackendError) {
        guard steps < self.steps else { return }
        (alphas, betas) = (Array(alphas.prefix(steps)), Array(betas.prefix(steps)))
        isInvariant = false
        try basis.truncate(steps + 1)
    }

    /// The rest of a step, once the product with the last vector is there.
    private func takeProduct() throws(BackendError) {
        var alpha = 0.0
        for _ in 0..<2 {
            try removeAvoided()
            alpha += try basis.removeSpan(from: &product, &work)
        }
        let beta = try space.norm(product.all)
        alphas.append(alpha)
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
            try basis.append(1 / beta, product.all)
        }
        try check()
        try save()
    }

    /// Compares a step that is done again with what it was.
    private func check() throws(BackendError) {
        guard let expected, let checkpoint, steps <= expected.alphas.count else { return }
        let isSame =
            alphas[steps - 1] == expected.alphas[steps - 1] && betas[steps - 1] == expected.betas[steps - 1]
        guard isSame else { throw checkpoint.disagreement(step: steps) }
    }

    private func save() throws(BackendError) {
        try checkpoint?.save(alphas, betas, isInvariant, rows: basis.count, newest: basis.checksum)
    }

    private func removeAvoided() throws(BackendError) {
        guard let avoiding, avoiding.count > 0 else { return }
        let coefficients = try space.project(product.all, on: avoiding.rows, avoiding.count)
        try space.add(product.all, coefficients.map { -$0 }, of: avoiding.rows, into: work.all)
        swap(&product, &work)
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
        var sum = try space.vector(), other = try space.vector()
        try basis.add(s, to: &sum, &other)
        let norm = try space.norm(sum.all)
        try space.scale(norm > 0 ? 1 / norm : 0, sum.all, into: result)
    }
}
