import Backend
import Graph

/// The Hessian of a risk: `H·v` is the derivative of the gradient along `v` (forward over reverse).
public final class HessianOperator: LinearOperator {
    private let risk: Risk
    private let product: BatchSum

    /// The Hessian at the risk's weights, which stay as they are as long as the operator is used.
    public init(_ risk: Risk) throws(BackendError) {
        self.risk = risk
        product = try risk.summed(holds: true) { traced in
            let trace = traced.trace
            let gradients = trace.vjp(
                [(of: traced.loss, cotangent: traced.loss.filled(1))], to: traced.parameters)
            let products = trace.jvp(gradients, along: traced.directions(risk.programs.layout))
            return (products, [])
        }
    }

    /// Number of weights.
    public var dimension: Int { risk.space.dimension }
    /// The space of weight vectors.
    public var space: VectorSpace { risk.space }
    /// `result = H·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        _ = try product.run(vector: vector, into: result)
    }
    /// As many vectors as a pass over the data is made for.
    public var blockSize: Int { BatchSum.blockSize }
    /// `results[j] = H·vectors[j]`, several in one pass over the data.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        try product.run(vectors: vectors, into: results)
    }
}

extension Risk.Traced {
    /// The parts of the flat vector `v` as tangents at the parameters.
    func directions(_ layout: ParameterLayout) -> [(at: Tensor, tangent: Tensor)] {
        zip(layout.entries, parameters).map { entry, parameter in
            (at: parameter, tangent: trace.input("v of \(entry.name)", entry.shape))
        }
    }
}
