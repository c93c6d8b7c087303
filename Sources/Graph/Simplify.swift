extension Trace {
    /// The rules applied to every node as it is made. Returns an existing or simpler tensor, or nil after
    /// bringing the node to its canonical form.
    func simplify(_ node: inout Node) -> Tensor? {
        let shape = node.shape
        let ids = node.operands
        func tensor(_ index: Int) -> Tensor { Tensor(trace: self, id: ids[index]) }
        func fill(_ index: Int) -> Double? { fillValue(ids[index]) }

        switch node.primitive {
        case .input, .constant: return nil
        case .add:
            if let a = fill(0), let b = fill(1) { return constant(a + b, shape) }
            if fill(0) == 0 { return tensor(1) }
            if fill(1) == 0 { return tensor(0) }
            node = commuted(node)
            return nil
        case .mul:
            return simplifyProduct(&node)
        case .select:
            if let condition = fill(0) { return tensor(condition != 0 ? 1 : 2) }
            return ids[1] == ids[2] ? tensor(1) : nil
        case .greater:
            if let a = fill(0), let b = fill(1) { return constant(a > b ? 1 : 0, shape) }
            return ids[0] == ids[1] ? constant(0, shape) : nil
        case .elementwise(let function):
            return fill(0).map { constant(function.rule.value($0), shape) }
        case .reshape:
            if nodes[ids[0]].shape == shape { return tensor(0) }
            if let value = fill(0) { return constant(value, shape) }
            if case .reshape = nodes[ids[0]].primitive {
                return emit(.reshape, [Tensor(trace: self, id: Int(nodes[ids[0]].a))], shape)
            }
            return nil
        case .permute(let order):
            if let value = fill(0) { return constant(value, shape) }
            if order == Array(order.indices) { return tensor(0) }
            if case .permute(let inner) = nodes[ids[0]].primitive {
                let source = Tensor(trace: self, id: Int(nodes[ids[0]].a))
                return emit(.permute(order.map { inner[$0] }), [source], shape)
            }
            return nil
        case .broadcast, .reduceSum, .reduceMax:
            return simplifyStretch(node)
        case .slice(let starts, let steps):
            if let value = fill(0) { return constant(value, shape) }
            return isWhole(starts, steps) && nodes[ids[0]].shape == shape ? tensor(0) : nil
        case .pad(let starts, let steps):
            if fill(0) == 0 { return constant(0, shape) }
            return isWhole(starts, steps) && nodes[ids[0]].shape == shape ? tensor(0) : nil
        case .gather, .scatterAdd:
            return fill(0) == 0 ? constant(0, shape) : nil
        case .matmul(let transposeA, let transposeB):
            if fill(0) == 0 || fill(1) == 0 { return constant(0, shape) }
            return absorbTransposes(node, transposeA, transposeB)
        case .conv, .dgrad, .wgrad:
            return fill(0) == 0 || fill(1) == 0 ? constant(0, shape) : nil
        }
    }

    /// The value that fills a node, or nil.
    func fillValue(_ id: Int) -> Double? {
        if case .constant(.fill(let value)) = nodes[id].primitive { return value }
        return nil
    }

    private func isWhole(_ starts: [Int], _ steps: [Int]) -> Bool {
        starts.allSatisfy { $0 == 0 } && steps.allSatisfy { $0 == 1 }
    }

    /// Operands of a commutative node in one order: constants last, then by id.
    private func commuted(_ node: Node) -> Node {
        func key(_ id: Int32) -> (Int, Int32) { (fillValue(Int(id)) == nil ? 0 : 1, id) }
        if key(node.a) <= key(node.b) { return node }
        var result = node
        swap(&result.a, &result.b)
        return result
    }

    private func simplifyProduct(_ node: inout Node) -> Tensor? {
        node = commuted(node)
        let (a, b) = (Int(node.a), Int(node.b))
        guard let factor = fillValue(b) else { return nil }
        if let value = fillValue(a) { return constant(value * factor, node.shape) }
        if factor == 0 { return constant(0, node.shape) }
        if factor == 1 { return Tensor(trace: self, id: a) }
        // (x · c) · d = x · (c d)
        if case .mul = nodes[a].primitive, let inner = fillValue(Int(nodes[a].b)) {
            return Tensor(trace: self, id: Int(nodes[a].a)) * constant(inner * factor, node.shape)
        }
        return nil
    }

    private func simplifyStretch(_ node: Node) -> Tensor? {
        let operand = nodes[Int(node.a)]
        if operand.shape == node.shape { return Tensor(trace: self, id: Int(node.a)) }
        if let value = fillValue(Int(node.a)) {
            let isSum = node.primitive == .reduceSum
            let repeats = isSum ? operand.shape.count / max(1, node.shape.count) : 1
            return constant(value * Double(repeats), node.shape)
        }
        guard operand.a >= 0 else { return nil }
        let source = Tensor(trace: self, id: Int(operand.a))
        switch (node.primitive, operand.primitive) {
        case (.broadcast, .broadcast), (.reduceSum, .reduceSum), (.reduceMax, .reduceMax):
            return emit(node.primitive, [source], node.shape)
        case (.reduceSum, .broadcast) where source.shape == node.shape:
            return source * Double(operand.shape.count / max(1, node.shape.count))
        default:
            return nil
        }
    }

    /// A permutation of the last two axes in front of a product is a flag of the product.
    private func absorbTransposes(_ node: Node, _ transposeA: Bool, _ transposeB: Bool) -> Tensor? {
        func stripped(_ id: Int32) -> Tensor? {
            guard case .permute(let order) = nodes[Int(id)].primitive else { return nil }
            var swapped = Array(order.indices)
            swapped.swapAt(order.count - 1, order.count - 2)
            return order == swapped ? Tensor(trace: self, id: Int(nodes[Int(id)].a)) : nil
        }
        let (a, b) = (stripped(node.a), stripped(node.b))
        if a == nil && b == nil { return nil }
        return emit(
            .matmul(
                transposeA: a == nil ? transposeA : !transposeA,
                transposeB: b == nil ? transposeB : !transposeB),
            [a ?? Tensor(trace: self, id: Int(node.a)), b ?? Tensor(trace: self, id: Int(node.b))], node.shape
        )
    }
}
