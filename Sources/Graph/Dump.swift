extension Program: CustomStringConvertible {
    /// One line per node, readable by a person.
    public var description: String {
        let width = String(nodes.count).count + 1
        func label(_ id: Int) -> String { "%\(id)" }
        var lines = ["program {"]
        for (id, node) in nodes.enumerated() {
            let name = label(id)
            let padding = String(repeating: " ", count: max(0, width - name.count))
            lines.append("  \(padding)\(name) = \(text(node))  \(node.shape)")
        }
        lines.append("  return " + outputs.map { "\"\($0.name)\": %\($0.node)" }.joined(separator: ", "))
        lines.append("}")
        return lines.joined(separator: "\n")
    }

    private func text(_ node: Node) -> String {
        let operands = node.operands.map { "%\($0)" }
        func call(_ payload: String = "") -> String {
            let list = operands + (payload.isEmpty ? [] : [payload])
            return "\(node.primitive.name)(\(list.joined(separator: ", ")))"
        }
        switch node.primitive {
        case .input(let name): return "input \"\(name)\""
        case .constant(.fill(let value)): return "constant \(value)"
        case .constant(.table(let table)):
            let shown = table.prefix(4).map { "\($0)" }.joined(separator: ", ")
            return "constant [\(shown)\(table.count > 4 ? ", …" : "")]"
        case .matmul(let transposeA, let transposeB):
            return "matmul(\(operands[0])\(transposeA ? "ᵀ" : ""), \(operands[1])\(transposeB ? "ᵀ" : ""))"
        case .conv(let window), .dgrad(let window), .wgrad(let window): return call(window.description)
        case .permute(let order): return call("order \(order)")
        case .slice(let starts, let steps), .pad(let starts, let steps):
            return call("from \(starts)" + (steps.allSatisfy { $0 == 1 } ? "" : " by \(steps)"))
        case .gather(let axis), .scatterAdd(let axis): return call("axis \(axis)")
        default: return call()
        }
    }
}
