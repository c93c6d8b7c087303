import Graph

/// Turns programs into plans.
public enum Planner {
    /// Plans a program in a precision. `scratch` tells how many elements of working memory the backend's kernel
    /// for a step needs. Throws if the program breaks a rule.
    public static func plan(
        _ program: Program, precision: Precision, scratch: (Kernel) -> Int = { _ in 0 }
    ) throws(ProgramError) -> Plan {
        try program.verify()
        let program = program.simplified()
        let lowering = Lowering(program)
        let outputOfNode = lowering.outputOfNode
        let drafts = Schedule.best(lowering.drafts, keeping: Set(outputOfNode.keys))

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

        // Where results and scratch lie: outputs, or the arena.
        let last = Schedule.lastUses(drafts)
        var lifetimes: [Lifetime] = []
        var scratchIndex: [Int: Int] = [:]
        var resultIndex: [Int: Int] = [:]
        for (time, draft) in drafts.enumerated() {
            if let output = outputOfNode[draft.result] {
                places[draft.result] = Buffer(.output(output), offset: 0)
            } else {
                resultIndex[draft.result] = lifetimes.count
                let end = last[draft.result] ?? time
                lifetimes.append(Lifetime(count: draft.count, first: time, last: end))
            }
            let needed = scratch(draft.kernel)
            if needed > 0 {
                scratchIndex[time] = lifetimes.count
                lifetimes.append(Lifetime(count: needed, first: time, last: time))
            }
        }
        let arena = Arena.place(lifetimes)
        for (node, index) in resultIndex { places[node] = Buffer(.arena, offset: arena.offsets[index]) }

        let steps = drafts.enumerated().map { time, draft in
            Step(
                kernel: draft.kernel,
                operands: draft.operands.map { operand in
                    let base = places[operand.node]!
                    return Buffer(base.place, offset: base.offset + operand.offset)
                },
                result: places[draft.result]!, count: draft.count,
                scratch: scratchIndex[time].map { Buffer(.arena, offset: arena.offsets[$0]) },
                meaning: draft.meaning)
        }
        return Plan(
            precision: precision, steps: steps, inputs: program.inputs, outputs: program.outputs,
            tables: tables,
            arenaCount: arena.count)
    }
}
