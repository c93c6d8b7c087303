import Graph

/// Real programs made of plain tensors: gradients and Hessian-vector products of small networks.
public enum SmallNetworks {
    /// Loss, gradient and, if asked for, the Hessian times `v of NAME` of a dense or convolutional network.
    public static func derivative(isConvolutional: Bool, isSecondOrder: Bool, batch: Int = 6) -> Program {
        .trace { t in
            let parameters =
                isConvolutional
                ? [
                    t.input("w0", [4, 2, 3, 3]), t.input("b0", [1, 4, 1, 1]), t.input("w1", [3, 4 * 3 * 3]),
                ]
                : [t.input("w0", [9, 7]), t.input("b0", [1, 9]), t.input("w1", [3, 9])]
            var hidden: Tensor
            if isConvolutional {
                let x = t.input("x", [batch, 2, 6, 6])
                hidden = x.conv(parameters[0], Window(stride: (2, 2), padding: (1, 1)))
                hidden = (hidden + parameters[1].broadcast(to: hidden.shape)).relu().reshaped([batch, 36])
            } else {
                hidden = t.input("x", [batch, 7]).matmul(parameters[0], transposeB: true)
                hidden = (hidden + parameters[1].broadcast(to: hidden.shape)).gelu()
            }
            let logits = hidden.matmul(parameters[2], transposeB: true)
            let loss = (t.input("targets", logits.shape) * logits.logSoftmax(1)).sum() * (-1 / Double(batch))
            let gradients = t.vjp([(of: loss, cotangent: loss.filled(1))], to: parameters)
            var outputs = [("loss", loss)]
            if isSecondOrder {
                let names = ["w0", "b0", "w1"]
                let along = zip(names, parameters).map { (at: $1, tangent: t.input("v of \($0)", $1.shape)) }
                outputs += zip(names, t.jvp(gradients, along: along)).map { ("product \($0)", $1) }
            } else {
                outputs += gradients.enumerated().map { ("gradient \($0)", $1) }
            }
            return outputs
        }
    }

    /// Random values for all inputs of a program.
    public static func values(for program: Program, seed: UInt64) -> [String: [Double]] {
        var random = TestRandom(seed: seed)
        return Dictionary(
            uniqueKeysWithValues: program.inputs.map { ($0.name, random.values($0.shape.count)) })
    }
}
