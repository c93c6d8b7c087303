/// The arena in which a program is traced, and the only place where nodes are made.
///
/// Equal nodes are made once, and every new node passes the rules of `simplify`.
public final class Trace {
    /// The nodes so far.
    public private(set) var nodes: [Node] = []
    private var known: [Node: Int] = [:]
    private var inputs: [String: Int] = [:]

    /// An empty trace.
    public init() {}

    /// A tensor given from outside. One name has one shape within a trace.
    public func input(_ name: String, _ shape: Shape) -> Tensor {
        guard let id = inputs[name] else {
            inputs[name] = nodes.count
            return append(Node(.input(name), [], shape))
        }
        precondition(
            nodes[id].shape == shape,
            "input \"\(name)\" was traced as \(nodes[id].shape), now asked for as \(shape)")
        return Tensor(trace: self, id: id)
    }

    /// A tensor whose elements all have one value.
    public func constant(_ value: Double, _ shape: Shape = []) -> Tensor {
        append(Node(.constant(.fill(value)), [], shape))
    }

    /// A tensor with the given elements, row-major.
    public func constant(_ table: [Double], _ shape: Shape) -> Tensor {
        precondition(
            table.count == shape.count, "\(table.count) elements given for a constant of shape \(shape)")
        return append(Node(.constant(.table(table)), [], shape))
    }

    /// Makes a node, or finds the equal or simpler one. Shapes that do not fit are a programmer's error.
    func emit(_ primitive: Primitive, _ operands: [Tensor], _ shape: Shape) -> Tensor {
        for operand in operands { precondition(operand.trace === self, "operands come from two traces") }
        var node = Node(primitive, operands.map(\.id), shape)
        if let problem = shapeProblem(of: node, operands: operands.map(\.shape)) {
            // Not a precondition: optimised builds drop its message, and the shapes are what helps.
            fatalError("\(primitive.name): \(problem)")
        }
        if let simpler = simplify(&node) { return simpler }
        return append(node)
    }

    private func append(_ node: Node) -> Tensor {
        if let id = known[node] { return Tensor(trace: self, id: id) }
        nodes.append(node)
        known[node] = nodes.count - 1
        return Tensor(trace: self, id: nodes.count - 1)
    }

    /// Copies a program into this trace, its inputs replaced by the given tensors where there are any.
    /// Returns the outputs in order.
    public func inline(_ program: Program, inputs: [String: Tensor]) -> [Tensor] {
        let live = program.liveness
        var copies = [Tensor?](repeating: nil, count: program.nodes.count)
        for (id, node) in program.nodes.enumerated() {
            switch node.primitive {
            case .input(let name):
                // Inputs are kept even when nothing reads them: they are part of the interface.
                if let given = inputs[name] {
                    precondition(
                        given.shape == node.shape,
                        "input \"\(name)\" has shape \(node.shape), but was given \(given.shape)")
                    copies[id] = given
                } else {
                    copies[id] = input(name, node.shape)
                }
            case .constant:
                if live[id] { copies[id] = append(node) }
            default:
                if live[id] {
                    copies[id] = emit(node.primitive, node.operands.map { copies[$0]! }, node.shape)
                }
            }
        }
        return program.outputs.map { copies[$0.node]! }
    }

    /// The program that computes the given tensors.
    public func program(_ outputs: [(String, Tensor)]) -> Program {
        Program(nodes: nodes, outputs: outputs.map { (name: $0.0, node: $0.1.id) })
    }
}

extension Program {
    /// Traces a program in one expression.
    public static func trace(_ body: (Trace) -> [(String, Tensor)]) -> Program {
        let trace = Trace()
        return trace.program(body(trace)).simplified()
    }

    /// The same program without duplicates, dead nodes and trivial operations. All inputs are kept.
    public func simplified() -> Program {
        let trace = Trace()
        let values = trace.inline(self, inputs: [:])
        let outputs = zip(self.outputs, values).map { ($0.name, $1) }
        return trace.program(outputs).withoutDeadNodes()
    }

    /// Drops nodes that no output needs, inputs excepted.
    func withoutDeadNodes() -> Program {
        let live = liveness
        var renumbered = [Int](repeating: -1, count: nodes.count)
        var kept: [Node] = []
        for (id, node) in nodes.enumerated() {
            if case .input = node.primitive {} else if !live[id] { continue }
            renumbered[id] = kept.count
            kept.append(Node(node.primitive, node.operands.map { renumbered[$0] }, node.shape))
        }
        return Program(nodes: kept, outputs: outputs.map { (name: $0.name, node: renumbered[$0.node]) })
    }
}
