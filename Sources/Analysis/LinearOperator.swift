import Backend
import Planner

/// A symmetric linear map on vectors of a device. Solvers see nothing else.
public protocol LinearOperator: AnyObject {
    /// Length of the vectors.
    var dimension: Int { get }
    /// Where vectors live and how they are stored.
    var space: VectorSpace { get }
    /// `result = A·vector`. The two do not overlap.
    func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError)
    /// As many vectors as a block product is best given: 1 if it gains nothing.
    var blockSize: Int { get }
    /// `results[j] = A·vectors[j]` for any number of vectors. No result overlaps a vector or another result.
    func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError)
}

extension LinearOperator {
    /// One vector after the other.
    public var blockSize: Int { 1 }
    /// One product after the other.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        for (vector, result) in zip(vectors, results) { try apply(vector, into: result) }
    }
}

/// An operator times a number.
public final class ScaledOperator: LinearOperator {
    private let inner: any LinearOperator
    private let factor: Double
    private let product: DeviceArray

    /// `factor · inner`.
    public init(_ factor: Double, _ inner: any LinearOperator) throws(BackendError) {
        (self.inner, self.factor) = (inner, factor)
        product = try inner.space.vector()
    }

    /// Length of the vectors.
    public var dimension: Int { inner.dimension }
    /// Where vectors live.
    public var space: VectorSpace { inner.space }
    /// `result = factor·A·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try inner.apply(vector, into: product.all)
        try space.scale(factor, product.all, into: result)
    }
    /// As many as the operator inside takes.
    public var blockSize: Int { inner.blockSize }
    /// `results[j] = factor·A·vectors[j]`.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        try inner.apply(vectors, into: results)
        for result in results {
            try space.scale(factor, result, into: product.all)
            try space.backend.copy(product.all, to: result)
        }
    }
}

/// A matrix given by its elements; for small problems and for tests of solvers.
public final class DenseOperator: LinearOperator {
    /// Length of the vectors.
    public let dimension: Int
    /// Where vectors live.
    public let space: VectorSpace
    private let matrix: DeviceArray
    private let product: any Executable

    /// A symmetric matrix `[n, n]`, row-major.
    public init(
        _ elements: [Double], _ n: Int, on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        precondition(elements.count == n * n, "\(elements.count) elements for a matrix \(n)×\(n)")
        dimension = n
        space = VectorSpace(n, on: backend, precision)
        matrix = try backend.upload(elements, precision)
        product = try backend.compile(
            .trace { t in [("y", t.input("a", [n, n]).matmul(t.input("x", [n, 1])))] }, precision)
    }

    /// `result = A·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try product.run(inputs: [matrix.all, vector], outputs: [result])
    }
}
