import Backend
import Graph

/// A curvature matrix of a risk, of all its parameters, of some of them, or between two groups of them.
///
/// Products are sums over the whole data set. How it is cut into batches changes nothing but rounding.
public final class CurvatureOperator: LinearOperator {
    /// Which parameters the vectors consist of, in their order.
    public let layout: ParameterLayout
    /// The space of vectors.
    public let space: VectorSpace
    private let product: BatchSum

    /// The matrix at the risk's weights, which stay as they are as long as the operator is used.
    ///
    /// - Parameter parameters: the block of the matrix that belongs to these parameters (see `ParameterLayout.selecting`);
    ///   the whole matrix unless given.
    public init(
        _ curvature: Curvature, of risk: Risk, on parameters: ParameterLayout? = nil
    ) throws(BackendError) {
        let layout = parameters ?? risk.programs.layout
        self.layout = layout
        space = Self.space(layout, of: risk)
        product = try risk.summed(over: layout, holds: true) { traced in
            (curvature.product(traced, to: layout, along: layout), [])
        }
    }

    /// The block `B` of the matrix between two groups of parameters, as the symmetric operator `[[0, B], [Bᵀ, 0]]` on vectors
    /// of the first group followed by the second: its eigenvalues are plus and minus the singular values of `B`, and zeros.
    public init(
        _ curvature: Curvature, of risk: Risk, between first: ParameterLayout, and second: ParameterLayout
    ) throws(BackendError) {
        layout = ParameterLayout((first.entries + second.entries).map { ($0.name, $0.shape) })
        space = Self.space(layout, of: risk)
        product = try risk.summed(over: layout, holds: true) { traced in
            (
                curvature.product(traced, to: first, along: second)
                    + curvature.product(traced, to: second, along: first), []
            )
        }
    }

    private static func space(_ layout: ParameterLayout, of risk: Risk) -> VectorSpace {
        layout == risk.programs.layout
            ? risk.space : VectorSpace(layout.count, on: risk.space.backend, risk.space.precision)
    }

    /// Number of chosen parameters.
    public var dimension: Int { layout.count }
    /// As many vectors as a pass over the data is made for.
    public var blockSize: Int { BatchSum.blockSize }
    /// `result = C·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        _ = try product.run(vector: vector, into: result)
    }
    /// `results[j] = C·vectors[j]`, several in one pass over the data.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        try product.run(vectors: vectors, into: results)
    }
}
