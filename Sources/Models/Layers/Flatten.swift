import Graph

/// Every sample as one row.
public struct Flatten: Layer {
    /// The name in model files.
    public static let name = "flatten"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape { [input.count] }
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        x.reshaped([x.shape[0], x.shape.count / Swift.max(1, x.shape[0])])
    }
}
