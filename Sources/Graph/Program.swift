/// One operation of a program: its primitive, its operands' ids and its shape.
public struct Node: Hashable, Sendable {
    /// What is computed.
    public var primitive: Primitive
    /// Ids of the operands, each smaller than the node's own; -1 where there is none.
    public var a: Int32 = -1, b: Int32 = -1, c: Int32 = -1
    /// The result's shape.
    public var shape: Shape

    /// A node from its parts.
    public init(_ primitive: Primitive, _ operands: [Int], _ shape: Shape) {
        self.primitive = primitive
        self.shape = shape
        if operands.count > 0 { a = Int32(operands[0]) }
        if operands.count > 1 { b = Int32(operands[1]) }
        if operands.count > 2 { c = Int32(operands[2]) }
    }

    /// Ids of the operands that exist.
    public var operands: [Int] {
        if a < 0 { return [] }
        if b < 0 { return [Int(a)] }
        if c < 0 { return [Int(a), Int(b)] }
        return [Int(a), Int(b), Int(c)]
    }
}

/// A traced computation: an arena of nodes in topological order, with named inputs and outputs.
///
/// A program can be differentiated (`Trace.inline` continues it), run by the `Interpreter`, or planned for a
/// device.
public struct Program: Sendable, Hashable {
    /// A tensor that the program takes or gives.
    public struct Port: Sendable, Hashable {
        /// The name it is bound by.
        public let name: String
        /// The node that holds it.
        public let node: Int
        /// Its shape.
        public let shape: Shape

        /// A port from its parts.
        public init(name: String, node: Int, shape: Shape) {
            (self.name, self.node, self.shape) = (name, node, shape)
        }
    }

    /// All nodes; an operand comes before every node that reads it.
    public let nodes: [Node]
    /// Results, in the order they were asked for.
    public let outputs: [Port]
    /// Inputs, in the order they were traced.
    public let inputs: [Port]

    /// A program from its nodes and the ids of its outputs.
    public init(nodes: [Node], outputs: [(name: String, node: Int)]) {
        self.nodes = nodes
        self.outputs = outputs.map { name, node in
            // An output that does not exist is for the verifier to tell.
            Port(name: name, node: node, shape: nodes.indices.contains(node) ? nodes[node].shape : [])
        }
        inputs = nodes.indices.compactMap { id in
            guard case .input(let name) = nodes[id].primitive else { return nil }
            return Port(name: name, node: id, shape: nodes[id].shape)
        }
    }

    /// The input of this name, if there is one.
    public func input(_ name: String) -> Port? { inputs.first { $0.name == name } }

    /// The output of this name, if there is one.
    public func output(_ name: String) -> Port? { outputs.first { $0.name == name } }

    /// Whether each node is needed for some output. Inputs count as needed only when they are read.
    public var liveness: [Bool] {
        var live = [Bool](repeating: false, count: nodes.count)
        for output in outputs { live[output.node] = true }
        for id in nodes.indices.reversed() where live[id] {
            for operand in nodes[id].operands { live[operand] = true }
        }
        return live
    }
}
