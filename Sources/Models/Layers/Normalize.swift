import Graph

/// `(x − mean)/std` per channel with fixed numbers, inside the model: so attacks act on pixels in [0, 1].
public struct Normalize: Layer {
    /// The name in model files.
    public static let name = "normalize"

    let mean: [Double], std: [Double]

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        mean = try arguments.numbers("mean")
        std = try arguments.numbers("std")
        guard std.allSatisfy({ $0 > 0 }) else { throw ModelError("\(arguments.place): \"std\" is positive") }
        guard mean.count == std.count else {
            throw ModelError("\(arguments.place): \(mean.count) means and \(std.count) standard deviations")
        }
    }

    /// The same numbers for all channels, or one for each.
    public init(mean: [Double], std: [Double]) { (self.mean, self.std) = (mean, std) }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] { [("mean", .numbers(mean)), ("std", .numbers(std))] }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 1 || input.rank == 3, mean.count == 1 || mean.count == input[0] else {
            throw ModelError("normalize with \(mean.count) means does not fit samples \(input)")
        }
        return input
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        if mean.count == 1 { return (x + -mean[0]) * (1 / std[0]) }
        let row = Shape([1, x.shape[1]] + x.shape.dims.dropFirst(2).map { _ in 1 })
        let shift = x.trace.constant(mean.map { -$0 }, row), scale = x.trace.constant(std.map { 1 / $0 }, row)
        return (x + shift.broadcast(to: x.shape)) * scale.broadcast(to: x.shape)
    }
}
