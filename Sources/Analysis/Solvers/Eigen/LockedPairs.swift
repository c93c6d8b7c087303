import Backend

/// Eigenpairs that were found: every later iterate is made orthogonal to their vectors.
final class LockedPairs {
    let space: VectorSpace
    private(set) var rows: RowStore
    private(set) var values: [Double] = []
    /// True residuals of the first `proved`, those of the factorisation for the rest.
    private(set) var residuals: [Double] = []
    private(set) var proved = 0

    init(_ space: VectorSpace) {
        self.space = space
        rows = RowStore(space)
    }

    var count: Int { values.count }

    /// Locks Ritz pairs of a factorisation. A vector that is not orthogonal to those locked before is a ghost, and refused.
    func lock(
        _ indices: [Int], _ ritz: RitzPairs, of lanczos: BlockLanczos
    ) throws(BackendError) {
        let lifted = RowStore(space)
        try lanczos.basis.combine(indices.map { ritz.vectors[$0] }, into: lifted)
        for (row, index) in indices.enumerated() {
            _ = try append(lifted.row(row), ritz.values[index], ritz.bounds[index])
        }
    }

    /// Adds one vector, made unit; returns whether it was taken.
    func append(
        _ vector: DeviceSlice, _ value: Double, _ residual: Double
    ) throws(BackendError) -> Bool {
        let norm = try space.norm(vector)
        guard norm > 0 else { return false }
        let overlaps = try rows.project(vector, rows: 1)[0]
        guard overlaps.allSatisfy({ abs($0) <= space.precision.epsilon.squareRoot() * norm }) else {
            return false
        }
        try space.scale(1 / norm, vector, into: try rows.appendRow())
        values.append(value)
        residuals.append(residual)
        return true
    }

    /// Adds a pair whose residual is proved; pairs that are not must have been taken out before.
    func appendProved(
        _ vector: DeviceSlice, _ value: Double, _ residual: Double
    ) throws(BackendError) {
        precondition(proved == count, "pairs without proof are locked")
        if try append(vector, value, residual) { proved += 1 }
    }

    /// Takes out the vectors of all pairs whose residuals are not proved.
    func takeUnproved() throws(BackendError) -> RowStore {
        let taken = try rows.copy(proved..<count)
        rows.truncate(to: proved)
        values.removeLast(count - proved)
        residuals.removeLast(residuals.count - proved)
        return taken
    }

    /// Puts back pairs as they were saved.
    func restore(values: [Double], residuals: [Double], proved: Int) {
        (self.values, self.residuals, self.proved) = (values, residuals, proved)
    }
}
