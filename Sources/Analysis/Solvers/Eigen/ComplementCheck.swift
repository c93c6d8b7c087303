import Backend

/// The search for what a Krylov space cannot show: further copies of its values, and values of which its first vector has no part.
extension EigenpairSearch {
    /// A check that takes more products than this is not worth its while: the search for copies among those locked needs fewer.
    private static let most = 24

    /// Where the values found would be parted from all others; empty if that cannot be told of every end that is wanted.
    func findSplits(_ ritz: RitzPairs, _ indices: [Int]) throws(BackendError) -> [SpectrumSplit] {
        let values = locked.values + indices.map { ritz.values[$0] }
        let bounds = locked.residuals + indices.map { ritz.bounds[$0] }
        let (floor, ceiling) = wanted.limits(values)
        let unlisted = ritz.values.indices.filter { !indices.contains($0) }
        var found: [SpectrumSplit] = []
        for (last, isAbove) in [(floor, true), (ceiling, false)] {
            guard let last, let index = values.firstIndex(of: last) else { continue }
            // Twice what makes r²/gap small enough.
            let reach = 2 * bounds[index] * bounds[index] / max(allowance(of: last), .leastNormalMagnitude)
            guard
                let split = try SpectrumSplit(
                    ritz, unlisted: unlisted, last: last, reach: reach, isAbove: isAbove,
                    noise: 16 * space.precision.epsilon * counters.norm,
                    locked: Array(zip(locked.values, locked.residuals)))
            else { return [] }
            found.append(split)
        }
        return found
    }

    /// Whether, but for a small risk, all that lies beyond the splits is in the basis or locked: by a Krylov space of another random
    /// vector in the complement. All outer eigenvalues are outside of it, so a few products tell.
    func nothingIsHidden(
        from lanczos: BlockLanczos, beyond splits: [SpectrumSplit]
    ) throws(BackendError) -> Bool {
        try handOut(looksAtOnce: true)
        // A later state gives all its bits the same noise.
        defer { lanczos.norm = counters.norm }
        let check = try BlockLanczos(
            matrix, avoiding: [locked.rows, lanczos.basis], blockRows: 1, norm: counters.norm,
            keepsImages: false)
        let dimensions = check.complement
        var hidden = splits.map { HiddenCopies($0.limit) }
        for _ in 0..<Self.most where !isSpent {
            try check.fill(to: 1) { () throws(BackendError) in draw() }
            guard let column = try step(check) else {
                counters.risk = 0
                return true
            }
            for index in hidden.indices { hidden[index].step(column, coupling: check.coupling.first?.last) }
            let values = try check.ritz().values
            if splits.contains(where: { values.contains(where: $0.isBroken) }) { return false }
            counters.risk = min(1, hidden.reduce(0) { $0 + $1.risk(dimensions) })
            if counters.risk <= options.missRisk { return true }
        }
        return false
    }

    /// One product; returns its column of T, or nil if no dimension is left.
    private func step(_ check: BlockLanczos) throws(BackendError) -> [Double]? {
        if check.coupling.isEmpty { return nil }
        count(try check.step(), .check)
        counters.norm = max(counters.norm, check.norm)
        return check.projected.last
    }
}
