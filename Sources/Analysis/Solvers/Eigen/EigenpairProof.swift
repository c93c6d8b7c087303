import Backend

/// From Ritz pairs to pairs with true residuals.
extension EigenpairSearch {
    /// Locks what a search of a Krylov space ended with. False if some residuals were too large and the search goes on from them.
    func lock(_ pairs: RitzProof, after outcome: Outcome) throws(BackendError) -> Bool {
        if pairs.count == 0 || outcome == .complete {
            try locked.lock(Array(pairs.values.indices), of: pairs)
            return true
        }
        lanczos = nil
        var pairs = pairs
        if !areSmall(pairs.residuals, of: pairs.values) { try pairs.rotate() }
        return try take(pairs, continuing: outcome == .found && counters.repairs < 2)
    }

    /// Locks proved pairs: all of them, or, to go on with the others, those with small residuals. Says whether it took all.
    func take(_ proof: RitzProof, continuing: Bool) throws(BackendError) -> Bool {
        let good = proof.values.indices.filter { proof.residuals[$0] <= allowance(of: proof.values[$0]) }
        let rest = proof.values.indices.filter { !good.contains($0) }
        try locked.lock(continuing ? good : Array(proof.values.indices), of: proof)
        if rest.isEmpty || !continuing { return true }
        let lanczos = try BlockLanczos(
            matrix, avoiding: [locked.rows], blockRows: max(blockRows, rest.count), norm: counters.norm)
        try lanczos.begin(with: proof.vectors, images: proof.images, values: proof.values, rest)
        self.lanczos = lanczos
        counters.looksAtOnce = true
        counters.repairs += 1
        return false
    }
}
