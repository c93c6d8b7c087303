import Graph

/// A tensor that a layer owns.
public struct LayerTensor: Sendable {
    /// Name within the layer, such as `weight`.
    public let name: String
    /// Shape, as in PyTorch.
    public let shape: Shape
    /// Where it starts.
    public let initializer: Initializer

    /// A tensor from its parts.
    public init(_ name: String, _ shape: Shape, _ initializer: Initializer) {
        (self.name, self.shape, self.initializer) = (name, shape, initializer)
    }
}

/// How a model is traced.
public enum Mode {
    /// Samples are independent; normalisation uses running statistics.
    case evaluation
    /// Normalisation uses the statistics of the batch, in which sample n counts with `weights[n]` `[B]`; the
    /// weights of a batch sum to 1, those of filled-up samples are 0.
    case training(weights: Tensor)
}

/// A kind of layer: one file in `Layers`, one line in `LayerRegistry`.
public protocol Layer: Sendable {
    /// The name in model files.
    static var name: String { get }
    /// The argument that a short form such as `- dense: 512` gives; nil if the layer takes none.
    static var shortArgument: String? { get }
    /// Reads the layer from a model file.
    init(_ arguments: inout LayerArguments) throws(ModelError)
    /// The layer's arguments, as `init` reads them.
    var arguments: [(String, ArgumentValue)] { get }
    /// Shape of one sample after the layer; throws if the layer does not fit.
    func output(of input: Shape) throws(ModelError) -> Shape
    /// Trainable tensors, weight before bias.
    func parameters(for input: Shape) -> [LayerTensor]
    /// Tensors that training updates but no gradient reaches, such as running statistics.
    func state(for input: Shape) -> [LayerTensor]
    /// Layers inside this one, by the prefix of their names.
    var children: [(prefix: String, layers: [any Layer])] { get }
    /// Traces the layer on a batch `[B, …]`.
    func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor
}

extension Layer {
    /// Layers without arguments.
    public static var shortArgument: String? { nil }
    /// Layers without arguments.
    public var arguments: [(String, ArgumentValue)] { [] }
    /// Layers that keep the shape.
    public func output(of input: Shape) throws(ModelError) -> Shape { input }
    /// Layers without parameters.
    public func parameters(for input: Shape) -> [LayerTensor] { [] }
    /// Layers without state.
    public func state(for input: Shape) -> [LayerTensor] { [] }
    /// Layers without layers inside.
    public var children: [(prefix: String, layers: [any Layer])] { [] }
}

/// What a layer sees while it is traced: its own tensors, the mode, and where state updates go.
public final class LayerScope {
    /// Training or evaluation.
    public let mode: Mode
    private let prefix: String
    private let updates: StateUpdates

    init(_ mode: Mode, prefix: String, updates: StateUpdates) {
        (self.mode, self.prefix, self.updates) = (mode, prefix, updates)
    }

    /// A parameter or state tensor of this layer.
    public func tensor(_ name: String, _ shape: Shape, in trace: Trace) -> Tensor {
        trace.input(prefix + name, shape)
    }

    /// Sets what a state tensor of this layer becomes after a training step.
    public func update(_ name: String, to value: Tensor) { updates.values.append((prefix + name, value)) }

    /// Traces layers inside this one.
    public func apply(_ layers: [any Layer], prefix: String, to x: Tensor) -> Tensor {
        layers.enumerated().reduce(x) { x, item in
            let scope = LayerScope(mode, prefix: "\(self.prefix)\(prefix)\(item.offset).", updates: updates)
            return item.element.apply(x, scope)
        }
    }
}

/// State updates collected while a model is traced.
final class StateUpdates {
    var values: [(String, Tensor)] = []
}
