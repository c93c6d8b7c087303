import Graph

/// Two-dimensional convolution of images `[C, H, W]`.
public struct Conv: Layer {
    /// The name in model files.
    public static let name = "conv"

    let filters: Int
    let kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int)
    let hasBias: Bool
    let weightStd: Double?

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        filters = try arguments.int("filters")
        kernel = try arguments.pair("kernel")
        stride = try arguments.pair("stride", default: (1, 1))
        padding = try arguments.pair("padding", default: (0, 0), minimum: 0)
        hasBias = try arguments.bool("bias", default: true)
        weightStd = try arguments.optionalDouble("weight-std")
    }

    /// A convolution; `weightStd` is that of the sum over the fan-in, nil for PyTorch's default.
    public init(
        filters: Int, kernel: Int, stride: Int = 1, padding: Int = 0, hasBias: Bool = true,
        weightStd: Double? = nil
    ) {
        self.filters = filters
        self.kernel = (kernel, kernel)
        self.stride = (stride, stride)
        self.padding = (padding, padding)
        self.hasBias = hasBias
        self.weightStd = weightStd
    }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        var list: [(String, ArgumentValue)] = [
            ("filters", .int(filters)), ("kernel", .pair(kernel.0, kernel.1)),
        ]
        if stride != (1, 1) { list.append(("stride", .pair(stride.0, stride.1))) }
        if padding != (0, 0) { list.append(("padding", .pair(padding.0, padding.1))) }
        if !hasBias { list.append(("bias", .bool(false))) }
        if let weightStd { list.append(("weight-std", .double(weightStd))) }
        return list
    }

    private var window: Window { Window(stride: stride, padding: padding) }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 3 else { throw ModelError("conv takes images [C, H, W], found \(input)") }
        guard input[1] + 2 * padding.0 >= kernel.0, input[2] + 2 * padding.1 >= kernel.1 else {
            throw ModelError("conv: a kernel \(kernel.0)×\(kernel.1) is larger than the image \(input)")
        }
        let size = window.outputSize(height: input[1], width: input[2], kernelH: kernel.0, kernelW: kernel.1)
        return [filters, size.0, size.1]
    }

    /// Trainable tensors.
    public func parameters(for input: Shape) -> [LayerTensor] {
        let shape: Shape = [filters, input[0], kernel.0, kernel.1]
        let fanIn = Double(shape.count / filters)
        let weight = Fan.weight(fanIn, weightStd.map { $0 / fanIn.squareRoot() })
        return [LayerTensor("weight", shape, weight)]
            + (hasBias ? [LayerTensor("bias", [filters], Fan.bias(fanIn, nil))] : [])
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let weight = scope.tensor("weight", [filters, x.shape[1], kernel.0, kernel.1], in: x.trace)
        let y = x.conv(weight, window)
        guard hasBias else { return y }
        let bias = scope.tensor("bias", [filters], in: x.trace).reshaped([1, filters, 1, 1])
        return y + bias.broadcast(to: y.shape)
    }
}
