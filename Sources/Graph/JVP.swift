extension Trace {
    /// Forward mode: the directional derivative of `outputs` along tangents given at some tensors
    /// (inputs or intermediate values). Outputs that depend on none of them get zeros.
    public func jvp(_ outputs: [Tensor], along tangents: [(at: Tensor, tangent: Tensor)]) -> [Tensor] {
        let needed = reachable(from: outputs)
        var known: [Int: Tensor] = [:]
        for (at, tangent) in tangents {
            precondition(
                at.shape == tangent.shape,
                "a tangent of shape \(tangent.shape) at a tensor of shape \(at.shape)")
            known[at.id] = tangent
        }
        for id in 0..<needed.count where needed[id] && known[id] == nil {
            let node = nodes[id]
            let operandTangents = node.operands.map { known[$0] }
            if operandTangents.allSatisfy({ $0 == nil }) { continue }
            known[id] = tangent(of: id, node, operandTangents)
        }
        return outputs.map { known[$0.id] ?? constant(0, $0.shape) }
    }

    private func tangent(of id: Int, _ node: Node, _ tangents: [Tensor?]) -> Tensor? {
        let operands = node.operands.map { Tensor(trace: self, id: $0) }
        /// Linear in operand `index` while the others stay.
        func linear(_ index: Int) -> Tensor? {
            guard let tangent = tangents[index] else { return nil }
            var replaced = operands
            replaced[index] = tangent
            return emit(node.primitive, replaced, node.shape)
        }
        func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
            guard let a, let b else { return a ?? b }
            return a + b
        }
        switch node.primitive {
        case .input, .constant, .greater:
            return nil
        case .add:
            return sum(tangents[0], tangents[1])
        case .reshape, .permute, .broadcast, .reduceSum, .slice, .pad, .gather, .scatterAdd:
            return linear(0)
        case .mul, .matmul, .conv, .dgrad, .wgrad:
            return sum(linear(0), linear(1))
        case .select:
            if tangents[1] == nil && tangents[2] == nil { return nil }
            let zero = constant(0, node.shape)
            return operands[0].select(tangents[1] ?? zero, else: tangents[2] ?? zero)
        case .elementwise(let function):
            return tangents[0].map { $0 * function.rule.slope(operands[0], Tensor(trace: self, id: id)) }
        case .reduceMax:
            return tangents[0].map {
                ($0 * maxShare(operands[0], Tensor(trace: self, id: id))).sum(to: node.shape)
            }
        }
    }

    /// The slope of `reduceMax`: 1 at the greatest element, shared equally at ties.
    func maxShare(_ x: Tensor, _ y: Tensor) -> Tensor {
        let isTop = y.broadcast(to: x.shape).greater(than: x).select(x.filled(0), else: x.filled(1))
        return isTop * isTop.sum(to: y.shape).reciprocal().broadcast(to: x.shape)
    }

    /// Which nodes the given tensors depend on, themselves included.
    public func reachable(from tensors: [Tensor]) -> [Bool] {
        var needed = [Bool](repeating: false, count: nodes.count)
        for tensor in tensors { needed[tensor.id] = true }
        for id in nodes.indices.reversed() where needed[id] {
            for operand in nodes[id].operands { needed[operand] = true }
        }
        return needed
    }
}
