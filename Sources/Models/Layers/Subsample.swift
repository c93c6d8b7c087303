import Graph

/// Every `stride`-th pixel, with channels of zeros added at the end: the shortcut without parameters of
/// He et al. 2016 (option A).
public struct Subsample: Layer {
    /// The name in model files.
    public static let name = "subsample"

    let stride: Int
    let channels: Int

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        stride = try arguments.int("stride")
        channels = try arguments.int("channels")
    }

    /// A shortcut to the given number of channels.
    public init(stride: Int, channels: Int) { (self.stride, self.channels) = (stride, channels) }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        [("stride", .int(stride)), ("channels", .int(channels))]
    }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 3, input[0] <= channels else {
            throw ModelError("subsample takes images of at most \(channels) channels, found \(input)")
        }
        return [channels, (input[1] + stride - 1) / stride, (input[2] + stride - 1) / stride]
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let (n, c) = (x.shape[0], x.shape[1])
        let (h, w) = ((x.shape[2] + stride - 1) / stride, (x.shape[3] + stride - 1) / stride)
        return x.sliced(starts: [0, 0, 0, 0], steps: [1, 1, stride, stride], shape: [n, c, h, w])
            .padded(starts: [0, 0, 0, 0], shape: [n, channels, h, w])
    }
}
