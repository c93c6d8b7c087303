import Graph

/// A feed-forward network: layers on samples of one shape, and where its tensors lie in flat vectors.
public struct Network: Sendable {
    /// Shape of one sample.
    public let input: Shape
    /// The layers, in order.
    public let layers: [any Layer]
    /// Number of outputs.
    public let outputs: Int
    /// Trainable tensors in layout order: layers in order, weight before bias.
    public let layout: ParameterLayout
    /// Running statistics.
    public let state: ParameterLayout
    /// Where each trainable tensor starts, in layout order; likewise for the state.
    public let initializers: [Initializer], stateInitializers: [Initializer]

    /// A network; throws if a layer does not fit the one before it.
    public init(input: Shape, layers: [any Layer]) throws(ModelError) {
        (self.input, self.layers) = (input, layers)
        guard !layers.isEmpty else { throw ModelError("a model has at least one layer") }
        try Self.checkSize(input)
        let last = try Self.shapes(layers, input).last!
        guard last.rank == 1 else {
            throw ModelError(
                "the last layer gives \(last), but a model ends with a flat output such as dense")
        }
        outputs = last[0]
        var collected = Collected()
        try Self.collect(layers, input, prefix: "", into: &collected)
        layout = ParameterLayout(collected.parameters.map { ($0.name, $0.shape) })
        state = ParameterLayout(collected.state.map { ($0.name, $0.shape) })
        guard layout.count <= 1 << 32 else {
            throw ModelError("the model has \(layout.count) parameters, more than can be handled")
        }
        initializers = collected.parameters.map(\.initializer)
        stateInitializers = collected.state.map(\.initializer)
    }

    private struct Collected {
        var parameters: [LayerTensor] = [], state: [LayerTensor] = []
    }

    /// Shape of one sample after every layer.
    static func shapes(_ layers: [any Layer], _ input: Shape) throws(ModelError) -> [Shape] {
        var shapes: [Shape] = []
        for (index, layer) in layers.enumerated() {
            do throws(ModelError) {
                let shape = try layer.output(of: shapes.last ?? input)
                try checkSize(shape)
                shapes.append(shape)
            } catch {
                throw ModelError("layer \(index): \(error)")
            }
        }
        return shapes
    }

    /// Throws if one sample of a shape is larger than any machine will hold.
    static func checkSize(_ shape: Shape) throws(ModelError) {
        var count = 1
        for extent in shape.dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= 1 << 31 else { throw ModelError("samples \(shape) are too large") }
            count = product
        }
    }

    private static func collect(
        _ layers: [any Layer], _ input: Shape, prefix: String, into collected: inout Collected
    ) throws(ModelError) {
        let shapes = try shapes(layers, input)
        for (index, layer) in layers.enumerated() {
            let shape = index == 0 ? input : shapes[index - 1]
            func named(_ tensor: LayerTensor) -> LayerTensor {
                LayerTensor("\(prefix)\(index).\(tensor.name)", tensor.shape, tensor.initializer)
            }
            collected.parameters += layer.parameters(for: shape).map(named)
            collected.state += layer.state(for: shape).map(named)
            for child in layer.children {
                try collect(
                    child.layers, shape, prefix: "\(prefix)\(index).\(child.prefix)", into: &collected)
            }
        }
    }

    /// Traces the network on a batch `[B, …]`. Returns the logits `[B, O]` and, in training mode, what each
    /// state tensor becomes.
    public func apply(_ x: Tensor, _ mode: Mode) -> (logits: Tensor, updates: [(String, Tensor)]) {
        let updates = StateUpdates()
        let scope = LayerScope(mode, prefix: "", updates: updates)
        let logits = scope.apply(layers, prefix: "", to: x)
        return (logits, updates.values)
    }

    /// The model in evaluation mode: inputs are all tensors of `layout` and `state`, and `x` `[B, …]`; the output
    /// is `logits` `[B, O]`.
    public func forward(batchSize: Int) -> Program {
        .trace { trace in
            let x = trace.input("x", Shape([batchSize] + input.dims))
            declareTensors(in: trace)
            return [("logits", apply(x, .evaluation).logits)]
        }
    }

    /// Makes every tensor of the network an input, in layout order, whether or not a trace reads it.
    public func declareTensors(in trace: Trace) {
        for entry in layout.entries + state.entries { _ = trace.input(entry.name, entry.shape) }
    }
}
