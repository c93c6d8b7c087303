import Backend

/// What a search tells, hands out and takes back.
extension EigenpairSearch {
    /// Tells how far it is.
    func tell(_ step: EigenpairProgress) {
        history.append(step)
        progress?(step)
    }

    /// Hands out the state if someone wants it.
    func handOut() throws(BackendError) {
        guard let save, let lanczos else { return }
        let locked = locked, space = space, basis = lanczos.basis.count
        let numbers = EigenpairNumbers(
            search: identity, counters: counters, basisSize: basisSize, blockRows: blockRows,
            lockedValues: locked.values, lockedResiduals: locked.residuals, proved: locked.proved,
            projected: lanczos.projected, coupling: lanczos.coupling, copies: copies,
            history: history)
        try save(
            EigenpairState(numbers: numbers) { index throws(BackendError) in
                let slice =
                    index < locked.count
                    ? locked.rows.row(index)
                    : index < locked.count + basis
                        ? lanczos.basis.row(index - locked.count)
                        : space.row(index - locked.count - basis, of: lanczos.block)
                return try space.backend.download(slice)
            })
    }

    func restore(_ state: EigenpairState) throws(BackendError) {
        let numbers = state.numbers
        (counters, copies, history) = (numbers.counters, numbers.copies, numbers.history)
        locked.restore(
            values: numbers.lockedValues, residuals: numbers.lockedResiduals, proved: numbers.proved)
        var index = 0
        for _ in numbers.lockedValues {
            try space.backend.write(try state.vector(index), to: try locked.rows.appendRow())
            index += 1
        }
        let lanczos = try BlockLanczos(
            matrix, avoiding: locked.rows, blockRows: max(blockRows, numbers.coupling.count),
            norm: counters.norm)
        (lanczos.projected, lanczos.coupling) = (numbers.projected, numbers.coupling)
        for _ in numbers.projected {
            try space.backend.write(try state.vector(index), to: try lanczos.basis.appendRow())
            index += 1
        }
        for row in numbers.coupling.indices {
            try space.backend.write(try state.vector(index), to: space.row(row, of: lanczos.block))
            index += 1
        }
        self.lanczos = lanczos
    }
}
