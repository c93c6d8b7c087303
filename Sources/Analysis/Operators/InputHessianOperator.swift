import Backend
import Graph

/// The Hessian of every sample's loss with respect to its own inputs, on vectors `[N, …]` of all inputs.
///
/// Samples do not see each other, so the matrix consists of one block for each; its eigenvalues are those of all blocks. It is
/// the Hessian of the sum of sample losses, not of the mean: a block does not depend on the number of samples.
public final class InputHessianOperator: LinearOperator {
    /// The space of vectors `[N·d]`.
    public let space: VectorSpace
    private let risk: Risk
    private let perSample: Int
    private let batchSize: Int
    private let product: any Executable
    /// A vector and a product of one batch, for the last one, which may be ragged.
    private let last: (vector: DeviceArray, result: DeviceArray)

    /// The Hessian at the risk's weights and samples.
    public init(_ risk: Risk) throws(BackendError) {
        self.risk = risk
        let backend = risk.space.backend, precision = risk.space.precision
        perSample = risk.data.elementsPerSample(of: "x")
        space = VectorSpace(risk.data.sampleCount * perSample, on: backend, precision)
        (batchSize, product) = try SmallerBatches.fit(risk.batchSize, on: backend) {
            size throws(BackendError) in try backend.compile(Self.program(risk.programs, size), precision)
        }
        last = (
            try backend.allocate(batchSize * perSample, precision),
            try backend.allocate(batchSize * perSample, precision)
        )
    }

    private static func program(_ programs: RiskPrograms, _ batchSize: Int) -> Program {
        .trace { trace in
            let logits = trace.inline(programs.forward(batchSize), inputs: [:])[0]
            let sum = trace.inline(
                programs.loss(batchSize),
                inputs: ["logits": logits, "weights": trace.constant(1, [batchSize])])[0]
            let shape = programs.forward(batchSize).inputs.first { $0.name == "x" }!.shape
            let x = trace.input("x", shape)
            let gradient = trace.vjp([(of: sum, cotangent: sum.filled(1))], to: [x])
            return [("product", trace.jvp(gradient, along: [(at: x, tangent: trace.input("v", shape))])[0])]
        }
    }

    /// Number of samples times elements of a sample.
    public var dimension: Int { space.dimension }

    /// `result = H·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        let backend = space.backend, rows = batchSize * perSample
        var bound = risk.fixed
        for entry in risk.programs.layout.entries { bound[entry.name] = risk.parameters[entry.range] }
        for index in 0..<risk.data.batchCount(of: batchSize) {
            bound.merge(risk.data.batch(index, of: batchSize)) { $1 }
            let range = index * rows..<min((index + 1) * rows, dimension)
            let isWhole = range.count == rows
            if !isWhole { try backend.copy(vector[range], to: last.vector[0..<range.count]) }
            bound["v"] = isWhole ? vector[range] : last.vector.all
            bound["product"] = isWhole ? result[range] : last.result.all
            try product.run(bound)
            if !isWhole { try backend.copy(last.result[0..<range.count], to: result[range]) }
        }
    }
}
