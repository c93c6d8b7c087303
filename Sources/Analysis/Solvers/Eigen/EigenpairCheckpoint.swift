import Backend

/// What a search tells, hands out and takes back.
extension EigenpairSearch {
    /// Tells the values as they are: those locked, and new ones with bounds of their residuals.
    func report(_ values: [Double], _ bounds: [Double]) {
        let values = locked.values + values, bounds = locked.residuals + bounds
        let order = wanted.order(values)
        tell(
            EigenpairProgress(
                products: counters.products, restarts: counters.restarts, locked: locked.count,
                values: order.map { values[$0] }, bounds: order.map { bounds[$0] }))
    }

    /// Tells how far it is.
    func tell(_ step: EigenpairProgress) {
        // A search that goes on looks again at what it was handed out with.
        if history.last == step { return }
        history.append(step)
        progress?(step)
    }

    /// Hands out the state if someone wants it; from it a search goes on with a look at its Ritz values, or with a step.
    func handOut(looksAtOnce: Bool = false) throws(BackendError) {
        guard let save, let lanczos else { return }
        var counters = counters
        counters.looksAtOnce = looksAtOnce
        let numbers = EigenpairNumbers(
            search: identity, counters: counters, basisSize: basisSize, blockRows: blockRows,
            lockedValues: locked.values, lockedResiduals: locked.residuals,
            projected: lanczos.projected, coupling: lanczos.coupling, copies: copies,
            history: history)
        let space = space, rows = locked.rows.all + lanczos.rows
        try save(
            EigenpairState(numbers: numbers) { index throws(BackendError) in
                try space.backend.download(rows[index])
            })
    }

    func restore(_ state: EigenpairState) throws(BackendError) {
        let numbers = state.numbers
        (counters, copies, history) = (numbers.counters, numbers.copies, numbers.history)
        locked.restore(values: numbers.lockedValues, residuals: numbers.lockedResiduals)
        for _ in numbers.lockedValues { _ = try locked.rows.appendRow() }
        let lanczos = try BlockLanczos(
            matrix, avoiding: [locked.rows], blockRows: max(blockRows, numbers.coupling.count),
            norm: counters.norm)
        (lanczos.projected, lanczos.coupling) = (numbers.projected, numbers.coupling)
        for _ in numbers.projected {
            _ = try lanczos.basis.appendRow()
            _ = try lanczos.images?.appendRow()
        }
        for (index, row) in (locked.rows.all + lanczos.rows).enumerated() {
            try space.backend.write(try state.vector(index), to: row)
        }
        self.lanczos = lanczos
    }
}

extension BlockLanczos {
    /// All its vectors: the basis, the next block and the products with the basis.
    fileprivate var rows: [DeviceSlice] {
        basis.all + coupling.indices.map { space.row($0, of: block) } + (images?.all ?? [])
    }
}
