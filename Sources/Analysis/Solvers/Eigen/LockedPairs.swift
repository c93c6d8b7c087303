import Backend

/// Eigenpairs that were found: every later iterate is made orthogonal to their vectors.
final class LockedPairs {
    let space: VectorSpace
    private(set) var rows: RowStore
    private(set) var values: [Double] = []
    /// True residuals.
    private(set) var residuals: [Double] = []

    init(_ space: VectorSpace) {
        self.space = space
        rows = RowStore(space)
    }

    var count: Int { values.count }

    /// Locks pairs of a proof.
    func lock(_ indices: [Int], of proof: RitzProof) throws(BackendError) {
        for index in indices {
            _ = try append(proof.vectors.row(index), proof.values[index], proof.residuals[index])
        }
    }

    /// Adds one vector, made unit; returns whether it was taken. One that is not orthogonal to those locked before is a ghost, and
    /// refused.
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

    /// Puts back pairs as they were saved; their vectors follow.
    func restore(values: [Double], residuals: [Double]) {
        (self.values, self.residuals) = (values, residuals)
    }
}
