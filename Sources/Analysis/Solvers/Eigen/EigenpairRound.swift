import Backend

/// One Krylov space, from its first block to the end of its search.
extension EigenpairSearch {
    /// Extends the factorisation until the wanted values are found and locked, or nothing is left to look for.
    func searchSpace() throws(BackendError) -> (Outcome, RitzProof) {
        guard let lanczos else { return (.exhausted, RitzProof(space)) }
        if counters.looksAtOnce {
            counters.looksAtOnce = false
            if let outcome = try look(lanczos) { return outcome }
            if isSpent { return (.gaveUp, try best(lanczos)) }
        }
        while true {
            let before = counters.products
            if lanczos.coupling.count < width {
                try lanczos.fill(to: width) { () throws(BackendError) in draw() }
                if lanczos.coupling.isEmpty { return (.exhausted, try best(lanczos)) }
            }
            if lanczos.basis.count > 0, lanczos.basis.count + lanczos.coupling.count > basisSize {
                if counters.roundRestarts >= options.restarts { return (.gaveUp, try best(lanczos)) }
                try restart(lanczos)
                try handOut()
            }
            let spent = try lanczos.step()
            count(spent, counters.isCheck ? .check : .search)
            if counters.isCheck, let column = lanczos.projected.last {
                for end in copies.indices { copies[end].step(column, coupling: lanczos.coupling.first?.last) }
            }
            counters.norm = max(counters.norm, lanczos.norm)
            if isTimeToLook(lanczos), let outcome = try look(lanczos) { return outcome }
            if isSpent { return (.gaveUp, try best(lanczos)) }
            if let every = options.saveEvery, counters.products / every > before / every {
                try handOut()
            }
        }
    }

    /// Vectors of a block. One finds copies with the fewest products.
    private var width: Int { counters.isCheck ? 1 : blockRows }

    var isSpent: Bool {
        counters.roundProducts >= options.steps ?? .max || counters.products >= options.products ?? .max
    }

    /// Ritz values cost little beside products while there are few.
    private func isTimeToLook(_ lanczos: BlockLanczos) -> Bool {
        let rows = lanczos.basis.count
        // Fewer than are missing cannot all be there.
        if locked.count + rows < wanted.count { return false }
        let isInvariant = lanczos.coupling.count < width
        let isFull = rows + lanczos.coupling.count > basisSize
        let interval = max(1, rows / 32)
        return isInvariant || isFull || isSpent || counters.roundProducts - counters.looked >= interval
    }

    /// Which Ritz pairs are wanted beside those locked: positions from the top, then from the bottom.
    private func missing(_ ritz: RitzPairs) -> [Int] {
        let (top, bottom) = wanted.missing(
            known: locked.values, new: ritz.values, margin: { allowance(of: $0) })
        return ritz.values.indices.suffix(top).reversed() + ritz.values.indices.prefix(bottom)
    }

    /// Judges the Ritz values: nil to go on.
    private func look(_ lanczos: BlockLanczos) throws(BackendError) -> (Outcome, RitzProof)? {
        counters.looked = counters.roundProducts
        let ritz = try lanczos.ritz()
        counters.norm = max(counters.norm, lanczos.norm)
        let indices = missing(ritz)
        report(indices.map { ritz.values[$0] }, indices.map { ritz.bounds[$0] })
        if indices.isEmpty, locked.count >= wanted.count {
            if !counters.isCheck { return (.found, RitzProof(space)) }
            return hasNothingMore(lanczos, ritz) ? (.nothing, RitzProof(space)) : nil
        }
        guard locked.count + indices.count >= wanted.count else { return nil }
        return try conclude(lanczos, ritz, indices)
    }

    /// Whether the wanted pairs are all there, and whether more may be hidden: nil to go on.
    private func conclude(
        _ lanczos: BlockLanczos, _ ritz: RitzPairs, _ indices: [Int]
    ) throws(BackendError) -> (Outcome, RitzProof)? {
        let values = indices.map { ritz.values[$0] }, bounds = indices.map { ritz.bounds[$0] }
        let areSmall = areSmall(bounds, of: values, room: Self.room)
        if identity.acceptance == .residuals, !areSmall { return nil }
        // A search for copies has a check of its own, and one that failed is not made again.
        let splits = counters.isCheck || counters.isStrict ? [] : try findSplits(ritz, indices)
        guard areAccurate(values, bounds, splits, room: Self.room) else { return nil }
        let pairs = try RitzProof(lanczos, ritz, indices)
        guard !splits.isEmpty, areAccurate(pairs.values, pairs.residuals, splits, room: 0) else {
            return (.found, pairs)
        }
        let isShown = try ifThereIsMemory { () throws(BackendError) in
            try nothingIsHidden(from: lanczos, beyond: splits)
        }
        if isShown == true {
            self.splits = splits
            return (.complete, pairs)
        }
        counters.isStrict = true
        return areSmall ? (.found, pairs) : nil
    }

    /// What a true residual may have beyond that of the factorisation, in ε‖A‖.
    private static let room = 8.0

    /// Whether a Ritz value has converged, to a thousandth at least: a rougher one may still move.
    private func isSettled(_ ritz: RitzPairs, _ index: Int) -> Bool {
        let rough = max(0, identity.tolerance - 1e-3) * abs(ritz.values[index])
        return areSmall([ritz.bounds[index] + rough], of: [ritz.values[index]], room: Self.room)
            || ritz.bounds[index] <= allowance(of: 0) / 2
    }

    /// Whether the complement surely holds nothing beyond the values found: it would have been seen, or the outermost Ritz
    /// value has converged inside of them. An invariant space holds a part of every eigenvector, so it tells all.
    private func hasNothingMore(_ lanczos: BlockLanczos, _ ritz: RitzPairs) -> Bool {
        guard let last = ritz.values.indices.last, !lanczos.coupling.isEmpty else {
            counters.risk = 0
            return true
        }
        counters.risk = min(1, copies.reduce(0) { $0 + $1.risk(space.dimension - locked.count) })
        return counters.risk <= options.missRisk
            || (wanted.top == 0 || isSettled(ritz, last)) && (wanted.bottom == 0 || isSettled(ritz, 0))
    }

    /// The best there is.
    private func best(_ lanczos: BlockLanczos) throws(BackendError) -> RitzProof {
        if lanczos.basis.count == 0 { return RitzProof(space) }
        let ritz = try lanczos.ritz()
        return try RitzProof(lanczos, ritz, missing(ritz))
    }

    // MARK: Restarts

    /// Locks pairs that are converged far enough, and keeps the most promising of the others.
    private func restart(_ lanczos: BlockLanczos) throws(BackendError) {
        let ritz = try lanczos.ritz()
        counters.norm = max(counters.norm, lanczos.norm)
        let indices = missing(ritz)
        // A locked vector's residual is an error of all later ones: it must not hurt the smallest value that is wanted.
        let limit = indices.map { allowance(of: ritz.values[$0]) }.min().map { $0 / 2 } ?? 0
        let done = indices.filter { ritz.bounds[$0] <= limit }
        let before = locked.count, proof = try RitzProof(lanczos, ritz, done)
        if proof.residuals.allSatisfy({ $0 <= 2 * limit }) {
            try locked.lock(Array(done.indices), of: proof)
        }
        let isLocked = locked.count == before + done.count
        let left = ritz.values.indices.filter { !isLocked || !done.contains($0) }
        let kept = retained(left, wanted: indices.count - done.count, next: lanczos.coupling.count)
        try lanczos.restart(with: kept.map { ritz.values[$0] }, kept.map { ritz.vectors[$0] })
        for end in copies.indices { copies[end].restart(kept.map { ritz.vectors[$0] }) }
        (counters.restarts, counters.roundRestarts) = (counters.restarts + 1, counters.roundRestarts + 1)
    }

    /// The outermost of the Ritz pairs left, ascending: the wanted ones and a part of the rest, as room for the next steps
    /// allows.
    private func retained(_ left: [Int], wanted count: Int, next: Int) -> [Int] {
        let most = max(1, basisSize - max(2 * next, basisSize / 4))
        let number = min(left.count, most, count + max(2, (basisSize - count) * 2 / 5))
        let top =
            wanted.bottom == 0
            ? number : wanted.top == 0 ? 0 : (number * wanted.top + wanted.count - 1) / wanted.count
        return left.prefix(number - top) + left.suffix(top)
    }
}
