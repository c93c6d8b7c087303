import Backend

extension EigenpairSearch {
    /// The wanted pairs in their order.
    func result(_ isComplete: Bool) throws(BackendError) -> Eigenpairs {
        let order = Array(wanted.order(locked.values).prefix(wanted.count))
        let vectors = try space.vectors(max(1, order.count))
        for (row, index) in order.enumerated() {
            try space.backend.copy(locked.rows.row(index), to: space.row(row, of: vectors))
        }
        let (values, residuals, others) = listed([], [], splits)
        let isConverged =
            values.count == wanted.count
            && (judgesValues(splits)
                ? areKnown(values, residuals, others) : areSmall(residuals, of: values))
        return Eigenpairs(
            values: values, residuals: residuals, vectors: vectors, applications: counters.products,
            isConverged: isConverged, isComplete: isComplete,
            missRisk: isComplete ? counters.risk : 1, checkApplications: counters.checkProducts,
            restarts: counters.restarts, norm: counters.norm,
            history: history,
            errors: EigenvalueError.all(
                values, residuals, wanted, others: others,
                rounding: 32 * space.precision.epsilon * counters.norm))
    }
}
