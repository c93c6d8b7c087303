import Backend
import Graph
import Planner

/// A model and a loss as programs, which is all that analysis knows of a network.
public struct RiskPrograms: Sendable {
    /// The model at a batch size: inputs are the tensors of `layout`, further fixed ones (such as running
    /// statistics) and `x` `[B, …]`; its output is `logits` `[B, O]`.
    public let forward: @Sendable (_ batchSize: Int) -> Program
    /// The loss at a batch size: inputs `logits`, `targets` `[B, O]` and `weights` `[B]`; its first output is
    /// the weighted sum of sample losses.
    public let loss: @Sendable (_ batchSize: Int) -> Program
    /// Where each parameter lies in the flat vector.
    public let layout: ParameterLayout

    /// The parts of a risk.
    public init(
        forward: @escaping @Sendable (Int) -> Program, loss: @escaping @Sendable (Int) -> Program,
        layout: ParameterLayout
    ) {
        (self.forward, self.loss, self.layout) = (forward, loss, layout)
    }
}

/// The mean loss of a model over a data set, at given weights, on a device.
public final class Risk {
    /// The programs.
    public let programs: RiskPrograms
    /// The samples.
    public let data: BatchedData
    /// The weights, flat.
    public let parameters: DeviceArray
    /// The space of weight vectors.
    public let space: VectorSpace
    /// Tensors that are neither parameters nor data, by input name.
    let fixed: [String: DeviceSlice]
    /// Samples per batch: as asked for, or fewer if the device had too little memory for that.
    var batchSize: Int
    private var compiled: [String: BatchSum] = [:]

    /// A risk at `parameters`; `fixed` gives the further inputs of the forward program.
    public init(
        _ programs: RiskPrograms, data: BatchedData, parameters: DeviceArray, fixed: [String: DeviceSlice],
        on backend: any Backend
    ) {
        precondition(parameters.count == programs.layout.count, "weights do not fit the layout")
        (self.programs, self.data, self.parameters, self.fixed) = (programs, data, parameters, fixed)
        batchSize = data.batchSize
        space = VectorSpace(programs.layout.count, on: backend, parameters.precision)
    }

    /// A sum over all batches: of vectors, one part per entry of a layout, and of scalars. Inputs `v of NAME` are the parts
    /// of a flat vector.
    ///
    /// - Parameters:
    ///   - layout: of vectors and results: some of the parameters by their names, in any order; all unless given.
    ///   - holds: whether what does not depend on `v` is computed once and held; then the sum belongs to
    ///     the risk's weights as they are at its first run.
    func summed(
        over layout: ParameterLayout? = nil, holds: Bool = false,
        _ body: @escaping (TracedRisk) -> (vector: [Tensor]?, scalars: [(String, Tensor)])
    ) throws(BackendError) -> BatchSum {
        let layout = layout ?? programs.layout
        var scalarNames: [String] = []
        func program(_ batchSize: Int) -> Program {
            .trace { trace in
                let (vector, scalars) = body(TracedRisk(programs, batchSize: batchSize, in: trace))
                scalarNames = scalars.map(\.0)
                let parts = vector.map { zip(layout.entries.map(\.name), $0).map { ($0, $1) } } ?? []
                return (parts + scalars).map { name, value in
                    ("result \(name)", value + trace.input("sum of \(name)", value.shape))
                }
            }
        }
        return try BatchSum(of: self, over: layout, holds: holds) { (program($0), scalarNames) }
    }

    /// The same model and samples at other weights.
    func moved(to values: [Double]) throws(BackendError) -> Risk {
        Risk(
            programs, data: data, parameters: try space.backend.upload(values, space.precision), fixed: fixed,
            on: space.backend)
    }

    /// The mean loss, at the risk's own weights or at others.
    public func loss(at parameters: DeviceSlice? = nil) throws(BackendError) -> Double {
        try cached("loss") { (nil, [("loss", $0.loss)]) }.run(at: parameters)[0]
    }

    /// The mean loss; its gradient goes to `result`.
    public func gradient(
        at parameters: DeviceSlice? = nil, into result: DeviceSlice
    ) throws(BackendError) -> Double {
        let sum = try cached("gradient") { traced in
            let seed = traced.loss.filled(1)
            let parameters = traced.parameters(self.programs.layout)
            let gradients = traced.trace.vjp([(of: traced.loss, cotangent: seed)], to: parameters)
            return (gradients, [("loss", traced.loss)])
        }
        return try sum.run(at: parameters, into: result)[0]
    }

    private func cached(
        _ name: String, _ body: @escaping (TracedRisk) -> (vector: [Tensor]?, scalars: [(String, Tensor)])
    ) throws(BackendError) -> BatchSum {
        if let known = compiled[name] { return known }
        let made = try summed(body)
        compiled[name] = made
        return made
    }
}
