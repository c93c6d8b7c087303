import Graph

/// A matrix of second derivatives, or of products of first ones, of a mean loss.
public enum Curvature: Sendable, Hashable {
    /// The Hessian.
    case hessian
    /// The generalised Gauss-Newton matrix `Jᵀ·H_loss·J`, where J is the Jacobian of the logits (Schraudolph 2002): the Hessian
    /// of the linearised model.
    case gaussNewton
    /// What the Hessian has beyond the Gauss-Newton matrix, `Σ ∂loss/∂logit · ∇²logit`, computed by itself: no cancellation.
    case residual
    /// The mean over samples of `g·gᵀ`, where g is the gradient of a sample's loss with its own target.
    case empiricalFisher
    /// The same with targets drawn from the model's own distribution, a mean over `draws` of them for every sample
    /// (`Risk.drawTargets`): an unbiased estimate of the Fisher matrix, which is the Gauss-Newton matrix of these losses.
    case sampledFisher(draws: Int)

    /// The part of `C·v` that belongs to the parameters of one layout, for a `v` on those of another.
    func product(_ risk: TracedRisk, to rows: ParameterLayout, along columns: ParameterLayout) -> [Tensor] {
        let trace = risk.trace, logits = risk.logits
        let rows = risk.parameters(rows), directions = risk.directions(columns)
        switch self {
        case .hessian:
            let gradients = trace.vjp([(of: risk.loss, cotangent: risk.loss.filled(1))], to: rows)
            return trace.jvp(gradients, along: directions)
        case .gaussNewton:
            let moved = trace.jvp([logits], along: directions)[0]
            let curved = trace.jvp([risk.slope], along: [(at: logits, tangent: moved)])[0]
            return trace.vjp([(of: logits, cotangent: curved)], to: rows)
        case .residual:
            // The slope of the loss stays as it is.
            let slope = risk.slope
            let gradients = trace.vjp([(of: logits, cotangent: slope)], to: rows)
            return trace.jvp(gradients, along: directions + [(at: slope, tangent: slope.filled(0))])
        case .empiricalFisher:
            return scattered(risk, [risk.scores()], to: rows, along: directions)
        case .sampledFisher(let draws):
            let scores = (0..<draws).map { draw in
                risk.scores(targets: trace.input(Self.drawnTargets(draw), logits.shape))
            }
            return scattered(risk, scores, to: rows, along: directions)
        }
    }

    /// The program input with the targets of a draw.
    static func drawnTargets(_ draw: Int) -> String { "targets of draw \(draw)" }

    /// `Jᵀ·S·J·v` for `S` the mean of `s·sᵀ` over several scores `[B, O]` of every sample.
    private func scattered(
        _ risk: TracedRisk, _ scores: [Tensor], to rows: [Tensor],
        along directions: [(at: Tensor, tangent: Tensor)]
    ) -> [Tensor] {
        let moved = risk.trace.jvp([risk.logits], along: directions)[0]
        let sum = scores.map { score in
            score * (score * moved).sum([1]).broadcast(to: score.shape)
        }.reduce(nil) { sum, term in sum.map { $0 + term } ?? term }!
        let share = (risk.sampleWeights * (1 / Double(scores.count))).broadcast(to: sum.shape)
        return risk.trace.vjp([(of: risk.logits, cotangent: sum * share)], to: rows)
    }
}
