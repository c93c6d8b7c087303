import Graph

/// Two-dimensional convolution of images `[C, H, W]`, in standard or NTK parametrisation: see `Dense`; the fan-in is
/// that of a patch.
public struct Conv: Layer {
    /// The name in model files.
    public static let name = "conv"

    let filters: Int
    let kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int)
    let hasBias: Bool
    let isNTK: Bool
    let weightStd: Double?, biasStd: Double?

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        filters = try arguments.int("filters")
        kernel = try arguments.pair("kernel")
        stride = try arguments.pair("stride", default: (1, 1))
        padding = try arguments.pair("padding", default: (0, 0), minimum: 0)
        hasBias = try arguments.bool("bias", default: true)
        isNTK =
            try arguments.word("parametrization", default: "standard", among: ["standard", "ntk"]) == "ntk"
        weightStd = try arguments.optionalDouble("weight-std")
        biasStd = try arguments.optionalDouble("bias-std")
    }

    /// A convolution; `weightStd` is that of the sum over the fan-in, nil for PyTorch's default.
    public init(
        filters: Int, kernel: Int, stride: Int = 1, padding: Int = 0, hasBias: Bool = true,
        weightStd: Double? = nil
    ) {
        self.init(
            filters: filters, kernel: (kernel, kernel), stride: (stride, stride), padding: (padding, padding),
            hasBias: hasBias, weightStd: weightStd)
    }

    /// The same with different numbers for height and width.
    public init(
        filters: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1), padding: (Int, Int) = (0, 0),
        hasBias: Bool = true, weightStd: Double? = nil
    ) {
        self.filters = filters
        (self.kernel, self.stride, self.padding) = (kernel, stride, padding)
        self.hasBias = hasBias
        (self.weightStd, biasStd, isNTK) = (weightStd, nil, false)
    }

    /// Another convolution in NTK parametrisation with its own number of filters.
    init(_ other: Conv, filters: Int, weightStd: Double, biasStd: Double) {
        (self.filters, kernel, stride, padding) = (filters, other.kernel, other.stride, other.padding)
        (hasBias, isNTK, self.weightStd, self.biasStd) = (other.hasBias, true, weightStd, biasStd)
    }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        var list: [(String, ArgumentValue)] = [
            ("filters", .int(filters)), ("kernel", .pair(kernel.0, kernel.1)),
        ]
        if stride != (1, 1) { list.append(("stride", .pair(stride.0, stride.1))) }
        if padding != (0, 0) { list.append(("padding", .pair(padding.0, padding.1))) }
        if !hasBias { list.append(("bias", .bool(false))) }
        if isNTK { list.append(("parametrization", .text("ntk"))) }
        if let weightStd { list.append(("weight-std", .double(weightStd))) }
        if let biasStd { list.append(("bias-std", .double(biasStd))) }
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
        let weight = Fan.weight(fanIn, isNTK ? 1 : weightStd.map { $0 / fanIn.squareRoot() })
        let bias = Fan.bias(fanIn, isNTK ? 1 : biasStd)
        return [LayerTensor("weight", shape, weight)]
            + (hasBias ? [LayerTensor("bias", [filters], bias)] : [])
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let weight = scope.tensor("weight", [filters, x.shape[1], kernel.0, kernel.1], in: x.trace)
        var y = x.conv(weight, window)
        if isNTK { y = y * ((weightStd ?? 1) / Double(x.shape[1] * kernel.0 * kernel.1).squareRoot()) }
        guard hasBias else { return y }
        let bias = scope.tensor("bias", [filters], in: x.trace).reshaped([1, filters, 1, 1])
        return y + (isNTK ? bias * (biasStd ?? 1) : bias).broadcast(to: y.shape)
    }
}
