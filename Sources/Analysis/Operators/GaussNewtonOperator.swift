import Backend
import Graph

/// The generalised Gauss-Newton matrix of a risk: `Jᵀ·H_loss·J`, where `J` is the Jacobian of the logits
/// (Schraudolph 2002). It is the Hessian of the risk of the linearised model.
public final class GaussNewtonOperator: LinearOperator {
    private let risk: Risk
    private let product: BatchSum

    /// The matrix at the risk's weights, which stay as they are as long as the operator is used.
    public init(_ risk: Risk) throws(BackendError) {
        self.risk = risk
        product = try risk.summed(holds: true) { traced in
            let (trace, logits) = (traced.trace, traced.logits)
            let moved = trace.jvp([logits], along: traced.directions(risk.programs.layout))[0]
            let slope = trace.vjp([(of: traced.loss, cotangent: traced.loss.filled(1))], to: [logits])[0]
            let curved = trace.jvp([slope], along: [(at: logits, tangent: moved)])[0]
            return (trace.vjp([(of: logits, cotangent: curved)], to: traced.parameters), [])
        }
    }

    /// Number of weights.
    public var dimension: Int { risk.space.dimension }
    /// The space of weight vectors.
    public var space: VectorSpace { risk.space }
    /// `result = G·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        _ = try product.run(vector: vector, into: result)
    }
    /// As many vectors as a pass over the data is made for.
    public var blockSize: Int { BatchSum.blockSize }
    /// `results[j] = G·vectors[j]`, several in one pass over the data.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        try product.run(vectors: vectors, into: results)
    }
}
