import Graph

/// The window of a pooling layer; the stride is the kernel unless given.
struct PoolWindow {
    var kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int)

    init(_ arguments: inout LayerArguments) throws(ModelError) {
        kernel = try arguments.pair("kernel")
        stride = try arguments.pair("stride", default: kernel)
        padding = try arguments.pair("padding", default: (0, 0), minimum: 0)
        guard 2 * padding.0 <= kernel.0, 2 * padding.1 <= kernel.1 else {
            throw ModelError("\(arguments.place): the padding is at most half the kernel")
        }
    }

    init(_ kernel: Int) {
        self.kernel = (kernel, kernel)
        stride = self.kernel
        padding = (0, 0)
    }

    var arguments: [(String, ArgumentValue)] {
        var list: [(String, ArgumentValue)] = [("kernel", .pair(kernel.0, kernel.1))]
        if stride != kernel { list.append(("stride", .pair(stride.0, stride.1))) }
        if padding != (0, 0) { list.append(("padding", .pair(padding.0, padding.1))) }
        return list
    }

    func output(of input: Shape, _ name: String) throws(ModelError) -> Shape {
        guard input.rank == 3, input[1] + 2 * padding.0 >= kernel.0, input[2] + 2 * padding.1 >= kernel.1
        else {
            throw ModelError(
                "\(name): a window \(kernel.0)×\(kernel.1) takes images at least that large, found \(input)")
        }
        let size = Window(stride: stride, padding: padding).outputSize(
            height: input[1], width: input[2], kernelH: kernel.0, kernelW: kernel.1)
        return [input[0], size.0, size.1]
    }

    /// Whether windows tile the image without overlap or padding.
    private func tiles(_ x: Shape) -> Bool {
        kernel == stride && padding == (0, 0) && x[2] % kernel.0 == 0 && x[3] % kernel.1 == 0
    }

    /// The image as `[N, C, H', kh, W', kw]`, if windows tile it.
    func tiled(_ x: Tensor) -> Tensor? {
        let s = x.shape
        if !tiles(s) { return nil }
        return x.reshaped([s[0], s[1], s[2] / kernel.0, kernel.0, s[3] / kernel.1, kernel.1])
    }

    /// The element at each place of the window, as one image `[N, C, H', W']` per place; padding reads `outside`.
    func places(_ x: Tensor, outside: Double) -> [Tensor] {
        let s = x.shape
        let size = Window(stride: stride, padding: padding).outputSize(
            height: s[2], width: s[3], kernelH: kernel.0, kernelW: kernel.1)
        var image = x
        if padding != (0, 0) {
            let padded: Shape = [s[0], s[1], s[2] + 2 * padding.0, s[3] + 2 * padding.1]
            let starts = [0, 0, padding.0, padding.1]
            image = x.padded(starts: starts, shape: padded)
            if outside != 0 {
                let inside = x.filled(1).padded(starts: starts, shape: padded)
                image = inside.select(image, else: image.filled(outside))
            }
        }
        return (0..<kernel.0 * kernel.1).map { place in
            image.sliced(
                starts: [0, 0, place / kernel.1, place % kernel.1], steps: [1, 1, stride.0, stride.1],
                shape: [s[0], s[1], size.0, size.1])
        }
    }
}

/// Greatest element of each window.
public struct MaxPool: Layer {
    /// The name in model files.
    public static let name = "max-pool"
    /// The argument of the short form.
    public static let shortArgument: String? = "kernel"
    let window: PoolWindow

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) { window = try PoolWindow(&arguments) }
    /// Windows that do not overlap.
    public init(_ kernel: Int) { window = PoolWindow(kernel) }
    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] { window.arguments }
    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        try window.output(of: input, Self.name)
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        if let tiles = window.tiled(x) {
            let s = tiles.shape
            return tiles.max([3, 5]).reshaped([s[0], s[1], s[2], s[4]])
        }
        let places = window.places(x, outside: -Double(Float.greatestFiniteMagnitude))
        return places.dropFirst().reduce(places[0]) { $0.maximum($1) }
    }
}

/// Mean of each window; padding counts as zeros, as in PyTorch.
public struct AveragePool: Layer {
    /// The name in model files.
    public static let name = "average-pool"
    /// The argument of the short form.
    public static let shortArgument: String? = "kernel"
    let window: PoolWindow

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) { window = try PoolWindow(&arguments) }
    /// Windows that do not overlap.
    public init(_ kernel: Int) { window = PoolWindow(kernel) }
    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] { window.arguments }
    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        try window.output(of: input, Self.name)
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        if let tiles = window.tiled(x) {
            let s = tiles.shape
            return tiles.mean([3, 5]).reshaped([s[0], s[1], s[2], s[4]])
        }
        let places = window.places(x, outside: 0)
        return places.dropFirst().reduce(places[0], +) * (1 / Double(places.count))
    }
}

/// Mean over all pixels: `[C, H, W]` to `[C]`.
public struct GlobalAveragePool: Layer {
    /// The name in model files.
    public static let name = "global-average-pool"
    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {}
    /// The layer.
    public init() {}
    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 3 else {
            throw ModelError("global-average-pool takes images [C, H, W], found \(input)")
        }
        return [input[0]]
    }
    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        x.mean([2, 3]).reshaped([x.shape[0], x.shape[1]])
    }
}
