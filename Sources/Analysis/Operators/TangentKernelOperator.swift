import Backend
import Graph
import Planner

/// The empirical neural tangent kernel `K = J·Jᵀ` of a model between samples, applied to vectors without being formed
/// (Novak et al. 2022, section 3.3): one pull-back and one push-forward over the samples.
///
/// The full kernel acts on vectors `[N·O]` with index `n·O + o`. Trace, mean and pseudo act on `[N]`; trace and mean are
/// sums over outputs, so a product costs as much as O of the full kernel.
public final class TangentKernelOperator: LinearOperator {
    /// Length of the vectors.
    public let dimension: Int
    /// Where vectors live.
    public let space: VectorSpace
    /// As many vectors of the full kernel as one pass over the samples is made for.
    public var blockSize: Int { kind == .full ? most : 1 }

    /// Products of one pass: at most five, and as many as memory has room for weight vectors.
    private let most: Int
    private let kind: KernelKind
    private let outputs: Int
    private let make: (_ width: Int) throws(BackendError) -> JacobianProducts
    private var products: [Int: JacobianProducts] = [:]
    private var lanes: [DeviceArray] = []
    private var sum: DeviceArray?

    /// The kernel of samples with themselves. `fixed` gives inputs of the forward program that are neither parameters
    /// nor samples. `memory` is for weight vectors and for values that do not depend on the vector and are held: a quarter of
    /// what is free unless given; the programs' own values come on top.
    ///
    /// Throws unless `kind` is one matrix: not `diagonal`, which has one for every output; and if samples turn out not to
    /// be independent.
    public init(
        _ forward: @escaping @Sendable (Int) -> Program, _ layout: ParameterLayout, parameters: DeviceArray,
        fixed: [String: DeviceSlice], x: EmpiricalNTK.Samples, kind: KernelKind, batchSize: Int = 128,
        memory: Int? = nil, on backend: any Backend
    ) throws(BackendError) {
        guard kind != .diagonal else {
            throw BackendError(
                .unsupported, "the diagonal kind is a matrix for every output, not one operator")
        }
        self.kind = kind
        outputs = forward(1).outputs[0].shape[1]
        dimension = x.count * kind.rows(outputs)
        space = VectorSpace(dimension, on: backend, parameters.precision)
        var bound = fixed
        for entry in layout.entries { bound[entry.name] = parameters[entry.range] }
        try SampleProbe.check(forward, bound, x, on: backend, parameters.precision)
        let all = bound, memory = memory ?? backend.freeMemory / 4
        // Sums take three weight vectors for each product.
        let room = memory / 2 / max(1, 3 * layout.count * parameters.precision.bytes)
        most = max(1, min(kind == .full ? 4 : 5, room))
        make = { width throws(BackendError) in
            try JacobianProducts(
                forward, layout, bound: all, x, batchSize: batchSize, hasSelectors: kind != .full,
                width: width, heldBytes: memory / 4, on: backend,
                parameters.precision)
        }
        if kind == .full { products[1] = try make(1) }
    }

    /// `result = K·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        if kind == .full {
            return try products(1).kernelProducts([vector], selectors: [], into: [result])
        }
        // A selector enters twice, as the rows of J on both sides.
        let selectors =
            kind == .pseudo
            ? [[Double](repeating: 1, count: outputs)]
            : (0..<outputs).map { output in
                (0..<outputs).map {
                    $0 == output ? (kind == .mean ? 1 / Double(outputs).squareRoot() : 1) : 0
                }
            }
        // Chunks of one size.
        let chunks = (selectors.count + most - 1) / most, width = (selectors.count + chunks - 1) / chunks
        while lanes.count < width { lanes.append(try space.vector()) }
        let sum = if let known = self.sum { known } else { try space.vector() }
        self.sum = sum
        for start in stride(from: 0, to: selectors.count, by: width) {
            let part = selectors[start..<min(start + width, selectors.count)]
            try products(width).kernelProducts(
                part.map { _ in vector }, selectors: part.flatMap { $0 },
                into: lanes.prefix(part.count).map(\.all))
            for (lane, values) in lanes.prefix(part.count).enumerated() {
                if start == 0 && lane == 0 {
                    try space.backend.copy(values.all, to: result)
                } else {
                    try space.add(result, 1, values.all, into: sum.all)
                    try space.backend.copy(sum.all, to: result)
                }
            }
        }
    }

    /// `results[j] = K·vectors[j]`, several of the full kernel in one pass over the samples.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        var next = 0
        while kind == .full, most > 1, vectors.count - next >= most {
            let range = next..<next + most
            try products(most).kernelProducts(
                Array(vectors[range]), selectors: [], into: Array(results[range]))
            next += most
        }
        for index in next..<vectors.count { try apply(vectors[index], into: results[index]) }
    }

    private func products(_ width: Int) throws(BackendError) -> JacobianProducts {
        if let known = products[width] { return known }
        let made = try make(width)
        products[width] = made
        return made
    }
}
