/// Orders in which drafts can run. Operand nodes come before the drafts that read them in each.
enum Schedule {
    /// The program's own order, outputs one after the other, and the leanest step first. Results in `kept` have
    /// memory elsewhere.
    static func candidates(_ drafts: [Draft], keeping kept: Set<Int>) -> [[Draft]] {
        [drafts, depthFirst(drafts, kept), leanest(drafts, kept)].filter { $0.count == drafts.count }
    }

    /// The last time at which each node is read.
    static func lastUses(_ drafts: [Draft]) -> [Int: Int] {
        var last: [Int: Int] = [:]
        for (time, draft) in drafts.enumerated() {
            for operand in draft.operands { last[operand.node] = time }
        }
        return last
    }

    private static func producers(_ drafts: [Draft]) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: drafts.enumerated().map { ($1.result, $0) })
    }

    /// What an output needs, computed just before it is needed, output by output.
    private static func depthFirst(_ drafts: [Draft], _ kept: Set<Int>) -> [Draft] {
        let producer = producers(drafts)
        var done = [Bool](repeating: false, count: drafts.count)
        var order: [Draft] = []
        for goal in drafts.indices where kept.contains(drafts[goal].result) {
            var stack = [(index: goal, isReady: false)]
            while let (index, isReady) = stack.popLast() {
                if done[index] { continue }
                if isReady {
                    done[index] = true
                    order.append(drafts[index])
                } else {
                    stack.append((index, true))
                    for operand in drafts[index].operands.reversed() {
                        if let next = producer[operand.node], !done[next] { stack.append((next, false)) }
                    }
                }
            }
        }
        return order
    }

    /// Always the ready draft that adds the least memory, or frees the most.
    private static func leanest(_ drafts: [Draft], _ kept: Set<Int>) -> [Draft] {
        let producer = producers(drafts)
        let needs = drafts.map { Set($0.operands.compactMap { producer[$0.node] }) }
        var readers = [[Int]](repeating: [], count: drafts.count)
        for (index, set) in needs.enumerated() { for need in set { readers[need].append(index) } }
        var missing = needs.map(\.count)
        var remaining = readers.map(\.count)
        var ready = drafts.indices.filter { missing[$0] == 0 }
        var order: [Draft] = []

        func memory(_ index: Int) -> Int { kept.contains(drafts[index].result) ? 0 : drafts[index].count }
        func growth(_ index: Int) -> Int {
            needs[index].reduce(memory(index)) { $0 - (remaining[$1] == 1 ? memory($1) : 0) }
        }
        while let pick = ready.min(by: { (growth($0), $0) < (growth($1), $1) }) {
            ready.removeAll { $0 == pick }
            order.append(drafts[pick])
            for need in needs[pick] { remaining[need] -= 1 }
            for reader in readers[pick] {
                missing[reader] -= 1
                if missing[reader] == 0 { ready.append(reader) }
            }
        }
        return order
    }
}
