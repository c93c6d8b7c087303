import Graph

/// max(x, 0), with slope 0 at 0.
public struct ReLU: Layer {
    public static let name = "relu"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.relu() }
}

/// x·Φ(x), exact.
public struct GELU: Layer {
    public static let name = "gelu"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.gelu() }
}

/// Hyperbolic tangent.
public struct Tanh: Layer {
    public static let name = "tanh"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.tanh() }
}

/// 1/(1 + e⁻ˣ).
public struct Sigmoid: Layer {
    public static let name = "sigmoid"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.sigmoid() }
}

/// Error function.
public struct Erf: Layer {
    public static let name = "erf"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.erf() }
}

/// log(1 + eˣ).
public struct Softplus: Layer {
    public static let name = "softplus"
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor { x.softplus() }
}
