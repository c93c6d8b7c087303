import Graph

/// What a step's operands look like to its meaning: which elements of the buffer, in which order.
extension Step {
    /// For operand `index`, the offsets of its elements from the operand's first one, in the order of the
    /// meaning's input.
    public func elementOffsets(ofOperand index: Int) -> [Int] {
        switch kernel {
        case .elementwise(let kernel):
            return offsets(kernel.walk.dims, kernel.walk.strides[index])
        case .reduce(let kernel):
            let inner = offsets(kernel.reduced.dims, kernel.reduced.strides[index])
            return offsets(kernel.kept.dims, kernel.kept.strides[index]).flatMap { base in
                inner.map { base + $0 }
            }
        default:
            if let epilogue = kernel.epilogue, index >= 2 {
                return offsets(epilogue.walk.dims, epilogue.walk.strides[index - 1])
            }
            return Array(0..<meaning.inputs[index].shape.count)
        }
    }

    private func offsets(_ dims: [Int], _ strides: [Int]) -> [Int] {
        var result = [0]
        for (extent, stride) in zip(dims, strides) {
            result = result.flatMap { base in (0..<extent).map { base + $0 * stride } }
        }
        return result
    }

    /// The step's result in float64 from the values of its operands, by the `Interpreter`.
    public func replay(_ operands: [[Double]]) -> [Double] {
        var inputs: [String: [Double]] = [:]
        for (index, values) in operands.enumerated() { inputs["\(index)"] = values }
        return Interpreter.run(meaning, inputs)[0]
    }
}

extension Plan {
    /// A plan of one step, its operands given as inputs that begin at their first element.
    public func alone(_ step: Step) -> Plan {
        var single = step
        single.operands = step.operands.indices.map { Buffer(.input($0), offset: 0) }
        single.result = Buffer(.output(0), offset: 0)
        let inputs = step.operands.indices.map { index in
            let extent = (step.elementOffsets(ofOperand: index).max() ?? -1) + 1
            return Program.Port(name: "\(index)", node: index, shape: [extent])
        }
        let output = Program.Port(name: "result", node: inputs.count, shape: [step.count])
        return Plan(
            precision: precision, steps: [single], inputs: inputs, outputs: [output], tables: [],
            arenaCount: arenaCount)
    }
}

extension Plan: CustomStringConvertible {
    /// One line per step, readable by a person, with the totals above.
    public var description: String {
        let head =
            "plan \(precision.rawValue): \(steps.count) steps, \(flops) FLOPs, \(bytesMoved) bytes moved, "
            + "arena \(arenaBytes) bytes, peak \(peakBytes) bytes"
        let lines = steps.enumerated().map { index, step in
            let operands = step.operands.map { text($0) }.joined(separator: ", ")
            return
                "  \(index): \(text(step.result)) = \(step.kernel.name)(\(operands))  \(step.count) elements"
        }
        return ([head] + lines).joined(separator: "\n")
    }

    private func text(_ buffer: Buffer) -> String {
        let offset = buffer.offset == 0 ? "" : "+\(buffer.offset)"
        return switch buffer.place {
        case .arena: "arena\(offset)"
        case .input(let index): "\"\(inputs[index].name)\"\(offset)"
        case .output(let index): "out \"\(outputs[index].name)\"\(offset)"
        case .table(let index): "table \(index)\(offset)"
        }
    }
}
