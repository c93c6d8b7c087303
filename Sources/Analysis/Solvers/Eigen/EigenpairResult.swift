import Backend

extension EigenpairSearch {
    /// The wanted pairs in their order.
    func result(_ isComplete: Bool) throws(BackendError) -> Eigenpairs {
        let order = Array(wanted.order(locked.values).prefix(wanted.count))
        let vectors = try space.vectors(max(1, order.count))
        for (row, index) in order.enumerated() {
            try space.backend.copy(locked.rows.row(index), to: space.row(row, of: vectors))
        }
        let values = order.map { locked.values[$0] }, residuals = order.map { locked.residuals[$0] }
        let isConverged =
            values.count == wanted.count
            && order.allSatisfy {
                locked.residuals[$0] <= accepted(locked.values[$0])
            }
        return Eigenpairs(
            values: values, residuals: residuals, vectors: vectors, applications: counters.products,
            isConverged: isConverged, isComplete: isComplete,
            missRisk: isComplete ? counters.risk : 1, checkApplications: counters.checkProducts,
            proofApplications: counters.proofProducts, restarts: counters.restarts, norm: counters.norm,
            history: history,
            errors: EigenvalueError.all(
                values, residuals, wanted, rounding: 32 * space.precision.epsilon * counters.norm))
    }
}
