import Graph

/// The programs by which the table checks an example, beyond its value.
extension Example {
    /// Value and directional derivative along `t of NAME` at every smooth input; outputs `y`, `jvp`.
    public var forward: Program {
        derive { trace, y in
            [("jvp", trace.jvp([y], along: tangents(trace))[0])]
        }
    }

    /// Pull-back of the cotangent `c` to every smooth input; outputs `y`, then one per input.
    public var reverse: Program {
        derive { trace, y in gradients(trace, y).enumerated().map { ("vjp of \(smooth[$0])", $1) } }
    }

    /// Derivative of the pull-back along the tangents: second order; outputs `y`, then one per input.
    public var second: Program {
        derive { trace, y in
            let derivatives = trace.jvp(gradients(trace, y), along: tangents(trace))
            return derivatives.enumerated().map { ("jvp of vjp of \(smooth[$0])", $1) }
        }
    }

    private func derive(_ body: (Trace, Tensor) -> [(String, Tensor)]) -> Program {
        Program.trace { trace in
            let y = trace.inline(program, inputs: [:])[0]
            return [("y", y)] + body(trace, y)
        }
    }

    private func tangents(_ trace: Trace) -> [(at: Tensor, tangent: Tensor)] {
        smooth.map { name in
            let at = trace.input(name, program.input(name)!.shape)
            return (at: at, tangent: trace.input("t of \(name)", at.shape))
        }
    }

    private func gradients(_ trace: Trace, _ y: Tensor) -> [Tensor] {
        trace.vjp(
            [(of: y, cotangent: trace.input("c", y.shape))],
            to: smooth.map { trace.input($0, program.input($0)!.shape) })
    }

    /// The inputs together with random tangents and a random cotangent.
    public func seeded(_ random: inout TestRandom) -> [String: [Double]] {
        var values = inputs
        for name in smooth { values["t of \(name)"] = random.values(program.input(name)!.shape.count) }
        values["c"] = random.values(program.outputs[0].shape.count)
        return values
    }
}
