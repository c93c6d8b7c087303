import Graph

/// max(x, 0), with slope 0 at 0.
public struct ReLU: Layer {
    /// The name in model files.
    public static let name = "relu"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.relu() }
}

/// x·Φ(x), exact.
public struct GELU: Layer {
    /// The name in model files.
    public static let name = "gelu"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.gelu() }
}

/// Hyperbolic tangent.
public struct Tanh: Layer {
    /// The name in model files.
    public static let name = "tanh"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.tanh() }
}

/// 1/(1 + e⁻ˣ).
public struct Sigmoid: Layer {
    /// The name in model files.
    public static let name = "sigmoid"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.sigmoid() }
}

/// Error function.
public struct Erf: Layer {
    /// The name in model files.
    public static let name = "erf"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.erf() }
}

/// log(1 + eˣ).
public struct Softplus: Layer {
    /// The name in model files.
    public static let name = "softplus"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.softplus() }
}
