/// What a verifier found wrong in a program.
public struct ProgramError: Error, CustomStringConvertible, Sendable {
    /// The node and the rule it breaks.
    public let description: String
}

extension Program {
    /// Checks that the arena is in topological order, that every shape follows its rule and that names are
    /// unique. Programs made by `Trace` always pass; hand-made or transformed ones are checked by the planner.
    public func verify() throws(ProgramError) {
        var names: Set<String> = []
        for (id, node) in nodes.enumerated() {
            for operand in node.operands where operand < 0 || operand >= id {
                throw ProgramError(description: "%\(id) reads %\(operand), which does not come before it")
            }
            if let problem = shapeProblem(of: node, operands: node.operands.map { nodes[$0].shape }) {
                throw ProgramError(description: "%\(id) = \(node.primitive.name): \(problem)")
            }
            if case .input(let name) = node.primitive, !names.insert(name).inserted {
                throw ProgramError(description: "two inputs are called \"\(name)\"")
            }
        }
        names = []
        for output in outputs {
            guard nodes.indices.contains(output.node) else {
                throw ProgramError(
                    description: "output \"\(output.name)\" is %\(output.node), which does not exist")
            }
            if !names.insert(output.name).inserted {
                throw ProgramError(description: "two outputs are called \"\(output.name)\"")
            }
        }
    }
}
