extension Program {
    /// This program with the slopes of rectified units taken from their results: `x > 0` becomes `x·(x > 0) > 0`
    /// wherever the unit `x·(x > 0)` itself is computed too. The two are equal for every number, so `x` need not be
    /// kept for the way back.
    public func withMasksFromActivations() -> Program {
        /// The unit of every mask.
        var unit: [Int: Int] = [:]
        for (id, node) in nodes.enumerated() where node.primitive == .mul {
            for (value, mask) in [(Int(node.a), Int(node.b)), (Int(node.b), Int(node.a))] {
                let isMask =
                    nodes[mask].primitive == .greater && Int(nodes[mask].a) == value
                    && isZero(Int(nodes[mask].b))
                if isMask, unit[mask] == nil { unit[mask] = id }
            }
        }
        if unit.isEmpty { return self }

        // Every node keeps its order; the new masks follow their units.
        var made: [Node] = []
        var places: [Int] = [], masks: [Int: Int] = [:]
        for (id, node) in nodes.enumerated() {
            let operands = node.operands.map { operand in
                if let source = unit[operand], source < id { return masks[operand]! }
                return places[operand]
            }
            places.append(made.count)
            made.append(Node(node.primitive, operands, node.shape))
            for (mask, source) in unit where source == id {
                masks[mask] = made.count
                made.append(Node(.greater, [places[id], places[Int(nodes[mask].b)]], nodes[mask].shape))
            }
        }
        return Program(
            nodes: made, outputs: outputs.map { (name: $0.name, node: masks[$0.node] ?? places[$0.node]) }
        ).simplified()
    }

    private func isZero(_ id: Int) -> Bool {
        if case .constant(.fill(0)) = nodes[id].primitive { true } else { false }
    }
}
