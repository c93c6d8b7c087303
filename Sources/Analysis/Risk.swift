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
    private var compiled: [String: any Executable] = [:]

    /// A risk at `parameters`; `fixed` gives the further inputs of the forward program.
    public init(
        _ programs: RiskPrograms, data: BatchedData, parameters: DeviceArray, fixed: [String: DeviceSlice],
        on backend: any Backend
    ) {
        precondition(parameters.count == programs.layout.count, "weights do not fit the layout")
        (self.programs, self.data, self.parameters, self.fixed) = (programs, data, parameters, fixed)
        space = VectorSpace(programs.layout.count, on: backend, parameters.precision)
    }

    /// The model and the loss in one trace.
    struct Traced {
        let trace: Trace
        let logits: Tensor
        let loss: Tensor
        /// The parameters in layout order.
        let parameters: [Tensor]
    }

    /// A program over one batch whose outputs, one per parameter and then the scalars, are added to `sum of …`.
    /// Inputs `v of NAME` are the parts of a flat vector.
    func summed(
        _ body: (Traced) -> (vector: [Tensor]?, scalars: [(String, Tensor)])
    ) throws(BackendError) -> any Executable {
        let layout = programs.layout
        let program = Program.trace { trace in
            let logits = trace.inline(programs.forward(data.batchSize), inputs: [:])[0]
            let loss = trace.inline(programs.loss(data.batchSize), inputs: ["logits": logits])[0]
            let traced = Traced(
                trace: trace, logits: logits, loss: loss,
                parameters: layout.entries.map { trace.input($0.name, $0.shape) })
            let (vector, scalars) = body(traced)
            let parts = vector.map { zip(layout.entries.map(\.name), $0).map { ($0, $1) } } ?? []
            return (parts + scalars).map { name, value in
                ("result \(name)", value + trace.input("sum of \(name)", value.shape))
            }
        }
        return try space.backend.compile(program, space.precision)
    }

    /// Runs a summed program over all batches. `vector` is read as `v of …`; the vector result lies in `into`.
    func run(
        _ executable: any Executable, at parameters: DeviceSlice? = nil, vector: DeviceSlice? = nil,
        into result: DeviceSlice? = nil, scalars: [String] = []
    ) throws(BackendError) -> [Double] {
        let (backend, precision) = (space.backend, space.precision)
        let zeros = try zeroVector(), zeroScalars = try backend.allocate(max(1, scalars.count), precision)
        // Two buffers take turns; the last batch writes to its final place.
        let turns = data.batchCount > 1 ? [try space.vector(), try space.vector()] : []
        var scalarTurns: [DeviceArray] = []
        for _ in 0..<2 { scalarTurns.append(try backend.allocate(max(1, scalars.count), precision)) }
        var sum = zeros.all
        var scalarSum = zeroScalars
        for index in 0..<data.batchCount {
            let isLast = index == data.batchCount - 1
            let target = isLast ? (result ?? zeros.all) : turns[index % 2].all
            let scalarTarget = scalarTurns[index % 2]
            var bound = fixed.merging(data.batch(index)) { $1 }
            for entry in programs.layout.entries {
                bound[entry.name] = (parameters ?? self.parameters.all)[entry.range]
                if let vector { bound["v of \(entry.name)"] = vector[entry.range] }
                bound["sum of \(entry.name)"] = sum[entry.range]
                bound["result \(entry.name)"] = target[entry.range]
            }
            for (place, name) in scalars.enumerated() {
                bound["sum of \(name)"] = scalarSum[place..<place + 1]
                bound["result \(name)"] = scalarTarget[place..<place + 1]
            }
            try executable.run(
                inputs: executable.plan.inputs.map { slice($0, bound) },
                outputs: executable.plan.outputs.map { slice($0, bound) })
            (sum, scalarSum) = (target, scalarTarget)
        }
        return Array(try scalars.isEmpty ? [] : backend.download(scalarSum.all).prefix(scalars.count))
    }

    private var zero: DeviceArray?
    private func zeroVector() throws(BackendError) -> DeviceArray {
        if let zero { return zero }
        let made = try space.vector()
        zero = made
        return made
    }

    private func slice(_ port: Program.Port, _ bound: [String: DeviceSlice]) -> DeviceSlice {
        guard let slice = bound[port.name] else {
            preconditionFailure("nothing is bound to \"\(port.name)\"")
        }
        return slice
    }

    /// The mean loss, at the risk's own weights or at others.
    public func loss(at parameters: DeviceSlice? = nil) throws(BackendError) -> Double {
        let executable = try cached("loss") { (nil, [("loss", $0.loss)]) }
        return try run(executable, at: parameters, scalars: ["loss"])[0]
    }

    /// The mean loss; its gradient goes to `result`.
    public func gradient(
        at parameters: DeviceSlice? = nil, into result: DeviceSlice
    ) throws(BackendError) -> Double {
        let executable = try cached("gradient") { traced in
            let seed = traced.loss.filled(1)
            let gradients = traced.trace.vjp([(of: traced.loss, cotangent: seed)], to: traced.parameters)
            return (gradients, [("loss", traced.loss)])
        }
        return try run(executable, at: parameters, into: result, scalars: ["loss"])[0]
    }

    private func cached(
        _ name: String, _ body: (Traced) -> (vector: [Tensor]?, scalars: [(String, Tensor)])
    ) throws(BackendError) -> any Executable {
        if let known = compiled[name] { return known }
        let made = try summed(body)
        compiled[name] = made
        return made
    }
}
