import Graph

/// Layer normalisation over all elements of a sample (Ba et al. 2016), as `torch.nn.LayerNorm` of the sample's
/// whole shape.
public struct LayerNorm: Layer {
    /// The name in model files.
    public static let name = "layer-norm"

    let epsilon: Double

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        epsilon = try arguments.double("epsilon", default: 1e-5)
    }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] { epsilon == 1e-5 ? [] : [("epsilon", .double(epsilon))] }

    /// Trainable tensors.
    public func parameters(for input: Shape) -> [LayerTensor] {
        [LayerTensor("weight", input, .constant(1)), LayerTensor("bias", input, .constant(0))]
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let sample = Shape(Array(x.shape.dims.dropFirst()))
        let axes = Array(1..<x.shape.rank)
        func spread(_ name: String) -> Tensor {
            scope.tensor(name, sample, in: x.trace).reshaped(Shape([1] + sample.dims)).broadcast(to: x.shape)
        }
        let deviation = x - x.mean(axes).broadcast(to: x.shape)
        let scale = ((deviation * deviation).mean(axes) + epsilon).rsqrt()
        return deviation * scale.broadcast(to: x.shape) * spread("weight") + spread("bias")
    }
}
