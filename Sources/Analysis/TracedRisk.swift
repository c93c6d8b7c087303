import Graph

/// The model and the loss of one batch in one trace: what curvature is derived from.
struct TracedRisk {
    let trace: Trace
    /// `[B, O]`.
    let logits: Tensor
    /// The weighted sum of sample losses.
    let loss: Tensor
    private let programs: RiskPrograms
    private let batchSize: Int

    init(_ programs: RiskPrograms, batchSize: Int, in trace: Trace) {
        (self.programs, self.batchSize, self.trace) = (programs, batchSize, trace)
        logits = trace.inline(programs.forward(batchSize), inputs: [:])[0]
        loss = trace.inline(programs.loss(batchSize), inputs: ["logits": logits])[0]
    }

    /// The parameters of a layout, in its order.
    func parameters(_ layout: ParameterLayout) -> [Tensor] {
        layout.entries.map { trace.input($0.name, $0.shape) }
    }

    /// The parts of a flat vector `v` as tangents at the parameters of a layout.
    func directions(_ layout: ParameterLayout) -> [(at: Tensor, tangent: Tensor)] {
        zip(layout.entries, parameters(layout)).map { entry, parameter in
            (at: parameter, tangent: trace.input("v of \(entry.name)", entry.shape))
        }
    }

    /// The derivative of the loss with respect to the logits, `[B, O]`, sample weights included.
    var slope: Tensor { trace.vjp([(of: loss, cotangent: loss.filled(1))], to: [logits])[0] }

    /// The derivative of every sample's own loss with respect to its logits, `[B, O]`, for the batch's targets or for others.
    func scores(targets: Tensor? = nil) -> Tensor {
        var inputs = ["logits": logits, "weights": trace.constant(1, [batchSize])]
        inputs["targets"] = targets
        let sum = trace.inline(programs.loss(batchSize), inputs: inputs)[0]
        return trace.vjp([(of: sum, cotangent: sum.filled(1))], to: [logits])[0]
    }

    /// The weight of every sample, `[B, 1]`.
    var sampleWeights: Tensor { trace.input("weights", [batchSize]).reshaped([batchSize, 1]) }
}
