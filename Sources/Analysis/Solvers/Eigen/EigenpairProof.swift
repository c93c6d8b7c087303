import Backend

/// From Ritz pairs to pairs with true residuals.
extension EigenpairSearch {
    /// Replaces residuals of the factorisation by true ones. False if some were too large and the search goes on from them.
    func prove(_ outcome: Outcome) throws(BackendError) -> Bool {
        let fresh = try locked.takeUnproved()
        if fresh.count == 0 { return true }
        lanczos = nil
        var proof = try RitzProof(matrix, fresh)
        count(fresh.count, proving: true)
        let isGood = zip(proof.values, proof.residuals).allSatisfy { $1 <= accepted($0) }
        if !isGood { try proof.rotate() }
        return try take(proof, continuing: outcome == .found && counters.repairs < 2)
    }

    /// Locks proved pairs: all of them, or, to go on with the others, those with small residuals. Says whether it took all.
    func take(_ proof: RitzProof, continuing: Bool) throws(BackendError) -> Bool {
        let good = proof.values.indices.filter { proof.residuals[$0] <= accepted(proof.values[$0]) }
        let rest = proof.values.indices.filter { !good.contains($0) }
        for index in continuing ? good : Array(proof.values.indices) {
            try locked.appendProved(
                proof.vectors.row(index), proof.values[index], proof.residuals[index])
        }
        if rest.isEmpty || !continuing { return true }
        let lanczos = try BlockLanczos(
            matrix, avoiding: locked.rows, blockRows: max(blockRows, rest.count), norm: counters.norm)
        try lanczos.begin(with: proof.vectors, images: proof.images, values: proof.values, rest)
        (self.lanczos, hasGivenProducts) = (lanczos, true)
        counters.repairs += 1
        return false
    }
}
