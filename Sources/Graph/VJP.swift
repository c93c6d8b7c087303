extension Trace {
    /// Reverse mode: the pull-back of cotangents at `outputs` to each of `targets` (inputs or intermediate
    /// values). Targets on which no output depends get zeros.
    public func vjp(_ outputs: [(of: Tensor, cotangent: Tensor)], to targets: [Tensor]) -> [Tensor] {
        let needed = reachable(from: outputs.map(\.of))
        var depends = [Bool](repeating: false, count: needed.count)
        for target in targets where target.id < depends.count { depends[target.id] = true }
        for id in depends.indices where nodes[id].operands.contains(where: { depends[$0] }) {
            depends[id] = true
        }

        var cotangents: [Int: Tensor] = [:]
        func accumulate(_ id: Int, _ value: Tensor) {
            cotangents[id] = cotangents[id].map { $0 + value } ?? value
        }
        for (output, cotangent) in outputs {
            precondition(
                output.shape == cotangent.shape,
                "a cotangent of shape \(cotangent.shape) for an output of shape \(output.shape)")
            accumulate(output.id, cotangent)
        }
        for id in needed.indices.reversed() where needed[id] && depends[id] {
            guard let cotangent = cotangents[id] else { continue }
            let node = nodes[id]
            for (index, operand) in node.operands.enumerated() where depends[operand] {
                if let value = pullBack(id, node, operand: index, cotangent) { accumulate(operand, value) }
            }
        }
        return targets.map { cotangents[$0.id] ?? constant(0, $0.shape) }
    }

    /// What a node's cotangent contributes to one of its operands; nil for nothing.
    private func pullBack(_ id: Int, _ node: Node, operand index: Int, _ c: Tensor) -> Tensor? {
        func operand(_ index: Int) -> Tensor { Tensor(trace: self, id: node.operands[index]) }
        let x = operand(index)
        switch node.primitive {
        case .input, .constant, .greater:
            return nil
        case .add:
            return c
        case .mul:
            return c * operand(1 - index)
        case .select:
            let zero = c.filled(0)
            switch index {
            case 1: return operand(0).select(c, else: zero)
            case 2: return operand(0).select(zero, else: c)
            default: return nil
            }
        case .elementwise(let function):
            return c * function.rule.slope(x, Tensor(trace: self, id: id))
        case .reshape:
            return c.reshaped(x.shape)
        case .permute(let order):
            return c.permuted(inverse(order))
        case .broadcast:
            return c.sum(to: x.shape)
        case .reduceSum:
            return c.broadcast(to: x.shape)
        case .reduceMax:
            return maxShare(x, Tensor(trace: self, id: id)) * c.broadcast(to: x.shape)
        case .slice(let starts, let steps):
            return c.padded(starts: starts, steps: steps, shape: x.shape)
        case .pad(let starts, let steps):
            return c.sliced(starts: starts, steps: steps, shape: x.shape)
        case .gather(let axis):
            return index == 0 ? c.scattered(at: operand(1), axis: axis, count: x.shape[axis]) : nil
        case .scatterAdd(let axis):
            return index == 0 ? c.gathered(at: operand(1), axis: axis) : nil
        case .matmul(let transposeA, let transposeB):
            return pullBackMatmul(transposeA, transposeB, index, operand(1 - index), c)
        case .conv(let window):
            return index == 0
                ? c.dgrad(operand(1), window, images: x.shape)
                : operand(0).wgrad(c, window, filters: x.shape)
        case .dgrad(let window):
            return index == 0 ? c.conv(operand(1), window) : c.wgrad(operand(0), window, filters: x.shape)
        case .wgrad(let window):
            return index == 0 ? operand(1).dgrad(c, window, images: x.shape) : operand(0).conv(c, window)
        }
    }

    private func pullBackMatmul(
        _ transposeA: Bool, _ transposeB: Bool, _ index: Int, _ other: Tensor, _ c: Tensor
    ) -> Tensor {
        switch (index, transposeA, transposeB) {
        case (0, false, _): c.matmul(other, transposeB: !transposeB)
        case (0, true, _): other.matmul(c, transposeA: transposeB, transposeB: true)
        case (_, _, false): other.matmul(c, transposeA: !transposeA)
        case (_, _, true): c.matmul(other, transposeA: true, transposeB: transposeA)
        }
    }

    private func inverse(_ order: [Int]) -> [Int] {
        var result = order
        for (position, axis) in order.enumerated() { result[axis] = position }
        return result
    }
}

extension Program {
    /// The program of the derivative of all outputs along tangents at the named inputs, each given as a new
    /// input `tangent of NAME`. Its outputs are the original ones, then `tangent of OUTPUT`.
    public func jvp(along names: [String]) -> Program {
        Program.trace { trace in
            let values = trace.inline(self, inputs: [:])
            let tangents = names.map { name in
                let at = trace.input(name, shapeOfInput(name))
                return (at: at, tangent: trace.input("tangent of \(name)", at.shape))
            }
            let derivatives = trace.jvp(values, along: tangents)
            return zip(outputs, values).map { ($0.name, $1) }
                + zip(outputs, derivatives).map { ("tangent of \($0.name)", $1) }
        }
    }

    /// The program of the pull-back of cotangents at all outputs, each given as a new input
    /// `cotangent of OUTPUT`, to the named inputs. Its outputs are the original ones, then `cotangent of NAME`.
    public func vjp(to names: [String]) -> Program {
        Program.trace { trace in
            let values = trace.inline(self, inputs: [:])
            let seeds = zip(outputs, values).map { port, value in
                (of: value, cotangent: trace.input("cotangent of \(port.name)", value.shape))
            }
            let gradients = trace.vjp(seeds, to: names.map { trace.input($0, shapeOfInput($0)) })
            return zip(outputs, values).map { ($0.name, $1) }
                + zip(names, gradients).map { ("cotangent of \($0)", $1) }
        }
    }

    private func shapeOfInput(_ name: String) -> Shape {
        guard let port = input(name) else {
            preconditionFailure("no input is called \"\(name)\"; there are \(inputs.map(\.name))")
        }
        return port.shape
    }
}
