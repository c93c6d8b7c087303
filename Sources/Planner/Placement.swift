/// An order of drafts, with a place in the arena for every result and for working memory.
struct Placement {
    /// The drafts in order.
    let drafts: [Draft]
    /// Elements of the arena.
    let arenaCount: Int
    /// Offset of each result, by node. Results in `kept` have none.
    let results: [Int: Int]
    /// Offset of the working memory of each step that needs some.
    let scratch: [Int: Int]

    /// Places the values of an order; `scratch` tells how many elements a kernel works in. `inPlace` lets the result
    /// of an elementwise step take the memory of an operand that is not read again.
    init(_ drafts: [Draft], keeping kept: Set<Int>, inPlace: Bool, scratch: (Kernel) -> Int) {
        let last = Schedule.lastUses(drafts)
        var lifetimes: [Lifetime] = []
        var resultIndex: [Int: Int] = [:], scratchIndex: [Int: Int] = [:]
        for (time, draft) in drafts.enumerated() {
            if !kept.contains(draft.result) {
                let end = last[draft.result] ?? time
                let dying = draft.replaceable.compactMap { last[$0] == time ? resultIndex[$0] : nil }
                if inPlace, let index = dying.first(where: { lifetimes[$0].count == draft.count }) {
                    resultIndex[draft.result] = index
                    lifetimes[index].last = end
                } else {
                    resultIndex[draft.result] = lifetimes.count
                    lifetimes.append(Lifetime(count: draft.count, first: time, last: end))
                }
            }
            let needed = scratch(draft.kernel)
            if needed > 0 {
                scratchIndex[time] = lifetimes.count
                lifetimes.append(Lifetime(count: needed, first: time, last: time))
            }
        }
        let arena = Arena.place(lifetimes)
        self.drafts = drafts
        arenaCount = arena.count
        results = resultIndex.mapValues { arena.offsets[$0] }
        self.scratch = scratchIndex.mapValues { arena.offsets[$0] }
    }

    /// The placement with the smallest arena among the candidate orders; the first of equals.
    static func best(
        _ drafts: [Draft], keeping kept: Set<Int>, inPlace: Bool, scratch: (Kernel) -> Int
    ) -> Placement {
        let placements = Schedule.candidates(drafts, keeping: kept).map {
            Placement($0, keeping: kept, inPlace: inPlace, scratch: scratch)
        }
        return placements.min { $0.arenaCount < $1.arenaCount }!
    }
}

extension Draft {
    /// Nodes whose elements are read exactly where the result's are written.
    fileprivate var replaceable: [Int] {
        guard case .elementwise(let kernel) = kernel else { return [] }
        let unsafe = operands.indices.filter {
            kernel.walk.pattern($0) != .linear || operands[$0].offset != 0
        }
        let read = Set(unsafe.map { operands[$0].node })
        return operands.map(\.node).filter { !read.contains($0) }
    }
}
