import Backend

/// An operator plus a multiple of the identity, such as `K + ridge·I`.
public final class ShiftedOperator: LinearOperator {
    private let inner: any LinearOperator
    private let shift: Double
    private let product: DeviceArray

    /// `inner + shift·I`. Throws if there is no memory for a vector.
    public init(_ inner: any LinearOperator, by shift: Double) throws(BackendError) {
        (self.inner, self.shift) = (inner, shift)
        product = try inner.space.vector()
    }

    /// Length of the vectors.
    public var dimension: Int { inner.dimension }
    /// Where vectors live.
    public var space: VectorSpace { inner.space }
    /// As many as the operator inside takes.
    public var blockSize: Int { inner.blockSize }

    /// `result = A·vector + shift·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try inner.apply(vector, into: product.all)
        try space.add(product.all, shift, vector, into: result)
    }

    /// `results[j] = A·vectors[j] + shift·vectors[j]`.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        try inner.apply(vectors, into: results)
        for (vector, result) in zip(vectors, results) {
            try space.add(result, shift, vector, into: product.all)
            try space.backend.copy(product.all, to: result)
        }
    }
}
