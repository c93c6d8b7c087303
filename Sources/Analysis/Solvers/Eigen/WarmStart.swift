import Backend

/// How the first search begins.
extension EigenpairSearch {
    /// Where given vectors are all but exact, their products prove them, and what is left of the residuals is the next block.
    /// Otherwise such a block needs more products than a Krylov space of sums of the vectors, which is taken then. One product
    /// decides it.
    func begin() throws(BackendError) {
        try beginAgain()
        if start.isEmpty { return }
        let given = RowStore(space), scratch = try space.vector()
        for vector in start.prefix(wanted.count) {
            try orthonormalise(vector, scratch, against: given)
        }
        if given.count == 0 { return }
        // The first one: in the order of a result it is an outermost one, whose size tells the operator's.
        var proof = try RitzProof(matrix, try given.copy(0..<1))
        count(1, .search)
        counters.norm = max(counters.norm, abs(proof.values[0]))
        guard proof.residuals[0] <= 10 * allowance(of: proof.values[0]) else { return try addUp(given) }
        try proof.join(RitzProof(matrix, try given.copy(1..<given.count)))
        count(given.count - 1, .search)
        counters.norm = proof.values.reduce(counters.norm) { max($0, abs($1)) }
        try proof.rotate()
        _ = try take(proof, continuing: true)
        counters.repairs = 0
        lookForCopies()
    }

    /// The first block: every vector of it is the sum of its share of the given ones.
    private func addUp(_ given: RowStore) throws(BackendError) {
        firstVectors = []
        for index in 0..<given.count {
            let vector = try space.backend.download(given.row(index))
            if index < blockRows {
                firstVectors.append(vector)
            } else {
                for i in vector.indices { firstVectors[index % blockRows][i] += vector[i] }
            }
        }
    }

    /// Appends a vector made orthonormal to those before, unless it depends on them.
    private func orthonormalise(
        _ vector: DeviceSlice, _ scratch: DeviceArray, against given: RowStore
    ) throws(BackendError) {
        let row = try space.vector()
        let first = try space.norm(vector)
        guard first > 0, first.isFinite else { return }
        try space.scale(1 / first, vector, into: row.all)
        for _ in 0..<2 {
            _ = try given.remove(from: row.all, rows: 1, scratch: scratch.all)
            let left = try space.norm(row.all)
            guard left > space.precision.epsilon.squareRoot() else { return }
            try space.scale(1 / left, row.all, into: scratch.all)
            try space.backend.copy(scratch.all, to: row.all)
        }
        try given.append(row.all)
    }
}
