extension Program {
    /// This program in two: one that computes what does not depend on the inputs named by `varies`, and one that
    /// computes the rest from it. Running the first once and the second for many values of those inputs gives what
    /// this program gives, for less work and more memory.
    public struct Held: Sendable {
        /// Computes the held values; its outputs are `held 0`, `held 1`, …
        public let fixed: Program
        /// Takes them as inputs and gives this program's outputs.
        public let rest: Program

        /// Elements of all held values.
        public var count: Int { fixed.outputs.reduce(0) { $0 + $1.shape.count } }
    }

    /// Splits this program at the values that varying parts read.
    ///
    /// Costly values are held, and those that a costly operation reads; elementwise chains and views of held values
    /// and inputs are cheaper to compute again than to store and read, and so are first layers of few terms.
    public func holding(whatVariesWith varies: (String) -> Bool) -> Held {
        withMasksFromActivations().split(varies)
    }

    private func split(_ varies: (String) -> Bool) -> Held {
        let live = liveness
        var isVarying = [Bool](repeating: false, count: nodes.count)
        for (id, node) in nodes.enumerated() {
            if case .input(let name) = node.primitive { isVarying[id] = varies(name) }
            if node.operands.contains(where: { isVarying[$0] }) { isVarying[id] = true }
        }
        var isHeld = [Bool](repeating: false, count: nodes.count)
        var isRead = [Bool](repeating: false, count: nodes.count)
        for output in outputs where !isVarying[output.node] { isRead[output.node] = true }
        for id in nodes.indices.reversed() where live[id] && (isVarying[id] || (isRead[id] && !isHeld[id])) {
            // `id` is computed in the second program; what it reads must be there.
            for operand in nodes[id].operands where !isVarying[operand] {
                isRead[operand] = true
                if isLight(operand) { continue }
                let storesOperand = !nodes[id].primitive.isCheap && !nodes[operand].operands.isEmpty
                if storesOperand || !nodes[operand].primitive.isCheap { isHeld[operand] = true }
            }
        }
        let held = nodes.indices.filter { isHeld[$0] }
        let fixed = Program(nodes: nodes, outputs: held.enumerated().map { ("held \($0)", $1) })

        var replaced = nodes
        for (index, id) in held.enumerated() {
            replaced[id] = Node(.input("held \(index)"), [], nodes[id].shape)
        }
        let rest = Program(nodes: replaced, outputs: outputs.map { ($0.name, $0.node) })
        return Held(fixed: fixed.withoutUnread(), rest: rest.withoutUnread())
    }

    /// Whether a value takes so few operations from the inputs on that computing it again costs about as much as storing and
    /// reading it: 32 for every element.
    private func isLight(_ id: Int) -> Bool {
        var left = 32 * nodes[id].shape.count, seen: Set<Int> = [id], next = [id]
        while let id = next.popLast(), left >= 0 {
            left -= nodes[id].flops(operands: nodes[id].operands.map { nodes[$0].shape })
            for operand in nodes[id].operands where seen.insert(operand).inserted { next.append(operand) }
        }
        return left >= 0
    }

    /// Drops dead nodes, inputs among them.
    private func withoutUnread() -> Program {
        let live = liveness
        var renumbered = [Int](repeating: -1, count: nodes.count)
        var kept: [Node] = []
        for (id, node) in nodes.enumerated() where live[id] {
            renumbered[id] = kept.count
            kept.append(Node(node.primitive, node.operands.map { renumbered[$0] }, node.shape))
        }
        return Program(nodes: kept, outputs: outputs.map { (name: $0.name, node: renumbered[$0.node]) })
    }
}

extension Primitive {
    /// Whether computing it costs about as much as reading its operands.
    fileprivate var isCheap: Bool {
        switch self {
        case .input, .constant, .reshape, .permute, .broadcast, .slice: true
        default: isElementwise
        }
    }
}
