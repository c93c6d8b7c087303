import Graph

/// Turns programs into plans.
public enum Planner {
    /// Plans a program in a precision. `scratch` tells how many elements of working memory the backend's kernel
    /// for a step needs. Throws if the program breaks a rule.
    public static func plan(
        _ program: Program, precision: Precision, options: PlannerOptions = PlannerOptions(),
        scratch: (Kernel) -> Int = { _ in 0 }
    ) throws(ProgramError) -> Plan {
        try program.verify()
        let program = program.simplified().withMasksFromActivations()
        let lowering = Lowering(program, options)
        let outputOfNode = lowering.outputOfNode
        let placement = Placement.best(
            lowering.drafts, keeping: Set(outputOfNode.keys), inPlace: options.worksInPlace,
            scratch: scratch)

        // Where inputs and tables lie.
        var places: [Int: Buffer] = [:]
        var tables: [[Double]] = []
        for (id, node) in program.nodes.enumerated() {
            if case .constant(.table(let table)) = node.primitive {
                places[id] = Buffer(.table(tables.count), offset: 0)
                tables.append(table)
            }
        }
        for (index, port) in program.inputs.enumerated() {
            places[port.node] = Buffer(.input(index), offset: 0)
        }

        for (node, offset) in placement.results { places[node] = Buffer(.arena, offset: offset) }
        for (node, output) in outputOfNode { places[node] = Buffer(.output(output), offset: 0) }

        let steps = placement.drafts.enumerated().map { time, draft in
            Step(
                kernel: draft.kernel,
                operands: draft.operands.map { operand in
                    let base = places[operand.node]!
                    return Buffer(base.place, offset: base.offset + operand.offset)
                },
                result: places[draft.result]!, count: draft.count,
                scratch: placement.scratch[time].map { Buffer(.arena, offset: $0) },
                meaning: draft.meaning)
        }
        return Plan(
            precision: precision, steps: steps, inputs: program.inputs, outputs: program.outputs,
            tables: tables, arenaCount: placement.arenaCount)
    }
}
