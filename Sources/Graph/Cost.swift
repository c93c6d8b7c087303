extension Node {
    /// Floating-point operations of this node, a multiply-add counted as two and a function as one.
    public func flops(operands: [Shape]) -> Int {
        switch primitive {
        case .input, .constant, .reshape, .permute, .broadcast, .slice, .pad, .gather: 0
        case .add, .mul, .select, .greater, .elementwise: shape.count
        case .reduceSum, .reduceMax, .scatterAdd: operands[0].count
        case .matmul(let transposeA, _): 2 * shape.count * operands[0][transposeA ? -2 : -1]
        case .conv: 2 * shape.count * operands[1].count / max(1, operands[1][0])
        case .dgrad: 2 * operands[0].count * operands[1].count / max(1, operands[1][0])
        case .wgrad: 2 * operands[1].count * shape.count / max(1, shape[0])
        }
    }
}

extension Program {
    /// Floating-point operations of all nodes that some output needs.
    public var flops: Int {
        let live = liveness
        return nodes.indices.reduce(0) { total, id in
            live[id] ? total + nodes[id].flops(operands: nodes[id].operands.map { nodes[$0].shape }) : total
        }
    }
}
