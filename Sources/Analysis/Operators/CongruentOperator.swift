import Backend

/// `diag(s)·A·diag(s)` for an operator A: with `s = |θ|`, curvature relative to the size of every weight, which does not change
/// when a network's layers are rescaled against each other (Tsuzuku et al. 2020).
public final class CongruentOperator: LinearOperator {
    private let inner: any LinearOperator
    private let scale: DeviceArray
    private var scaled: [DeviceArray] = [], products: [DeviceArray] = []

    /// A congruent operator.
    ///
    /// - Parameter scale: `s`, as long as the vectors of the operator inside.
    public init(_ inner: any LinearOperator, by scale: DeviceArray) {
        precondition(scale.count == inner.dimension, "\(scale.count) factors for \(inner.dimension) elements")
        (self.inner, self.scale) = (inner, scale)
    }

    /// Length of the vectors.
    public var dimension: Int { inner.dimension }
    /// Where vectors live.
    public var space: VectorSpace { inner.space }
    /// As many as the operator inside takes.
    public var blockSize: Int { inner.blockSize }

    /// `result = s ∘ A·(s ∘ vector)`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try apply([vector], into: [result])
    }

    /// `results[j] = s ∘ A·(s ∘ vectors[j])`.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        while scaled.count < vectors.count {
            scaled.append(try space.vector())
            products.append(try space.vector())
        }
        for (vector, target) in zip(vectors, scaled) {
            try space.multiply(scale.all, vector, into: target.all)
        }
        let count = vectors.count
        if count == 1 {
            try inner.apply(scaled[0].all, into: products[0].all)
        } else {
            try inner.apply(scaled.prefix(count).map(\.all), into: products.prefix(count).map(\.all))
        }
        for (product, result) in zip(products, results) {
            try space.multiply(scale.all, product.all, into: result)
        }
    }
}
