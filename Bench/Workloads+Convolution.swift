import Data
import Graph
import Planner

/// The extents of a convolution of square images.
struct ConvolutionShape {
    let images: Int, channels: Int, size: Int, filters: Int
    var kernel = 3, stride = 1

    var window: Window { Window(stride: (stride, stride), padding: (kernel / 2, kernel / 2)) }
    var x: Shape { [images, channels, size, size] }
    var w: Shape { [filters, channels, kernel, kernel] }
    var y: Shape {
        let (height, width) = window.outputSize(height: size, width: size, kernelH: kernel, kernelW: kernel)
        return [images, filters, height, width]
    }
    var name: String {
        let step = stride == 1 ? "" : "-stride\(stride)"
        return "N\(images)-C\(channels)-\(size)x\(size)-K\(filters)-\(kernel)x\(kernel)\(step)"
    }
}

/// One of the three partial derivatives of ⟨y, conv(x, w)⟩, or the filter gradient of every sample.
enum ConvolutionRole: String, CaseIterable {
    case forward
    case inputGradient = "input-gradient"
    case filterGradient = "filter-gradient"
    case sampleGradients = "sample-gradients"

    func program(_ s: ConvolutionShape) -> Program {
        .trace { t in
            switch self {
            case .forward: [("r", t.input("x", s.x).conv(t.input("w", s.w), s.window))]
            case .inputGradient:
                [("r", t.input("y", s.y).dgrad(t.input("w", s.w), s.window, images: s.x))]
            case .filterGradient:
                [("r", t.input("x", s.x).wgrad(t.input("y", s.y), s.window, filters: s.w))]
            case .sampleGradients:
                // Samples become groups: rows of the Jacobian, as the neural tangent kernel needs them.
                [
                    (
                        "r",
                        t.input("x", s.x).reshaped([1, s.x[0] * s.x[1], s.x[2], s.x[3]]).wgrad(
                            t.input("y", s.y).reshaped([1, s.y[0] * s.y[1], s.y[2], s.y[3]]),
                            Window(
                                stride: (s.stride, s.stride), padding: (s.kernel / 2, s.kernel / 2),
                                groups: s.images),
                            filters: [s.images * s.w[0], s.w[1], s.w[2], s.w[3]])
                    )
                ]
            }
        }
    }

    /// Terms of the sum that one element of the result is.
    func terms(_ s: ConvolutionShape) -> Int {
        let area = s.kernel * s.kernel
        return switch self {
        case .forward: s.channels * area
        case .inputGradient: s.filters * area
        case .filterGradient: s.images * s.y[2] * s.y[3]
        case .sampleGradients: s.y[2] * s.y[3]
        }
    }

    /// Compares a result with the interpreter. All roles are bilinear, so a random combination of the results,
    /// with signs along the two axes that the role keeps, is the result of the combined operands: one image, one
    /// filter or one channel, which the naive loop can afford. Every element takes part.
    func check(
        _ s: ConvolutionShape, _ values: [String: [Double]], _ result: [Double], _ setting: Setting,
        _ precision: Precision
    ) -> Check {
        func signs(_ count: Int, _ purpose: String) -> [Double] {
            var stream = RandomStream(seed: setting.seed, purpose: "bench signs of \(purpose)")
            return stream.rademachers(count)
        }
        let overImages = signs(s.images, "images"), overFilters = signs(s.filters, "filters")
        let overChannels = signs(s.channels, "channels")
        func combined(_ name: String, _ shape: Shape, _ axis: Int, _ signs: [Double]) -> [Double] {
            Self.combine(values[name]!, shape, axis, signs)
        }
        var small = s
        var operands: [String: [Double]]
        let projected: [Double]
        switch self {
        case .forward:
            small = ConvolutionShape(
                images: 1, channels: s.channels, size: s.size, filters: 1, kernel: s.kernel, stride: s.stride)
            operands = ["x": combined("x", s.x, 0, overImages), "w": combined("w", s.w, 0, overFilters)]
            projected = Self.combine(
                Self.combine(result, s.y, 0, overImages), small.y.replacing(1, s.filters), 1, overFilters)
        case .inputGradient:
            small = ConvolutionShape(
                images: 1, channels: 1, size: s.size, filters: s.filters, kernel: s.kernel, stride: s.stride)
            operands = ["y": combined("y", s.y, 0, overImages), "w": combined("w", s.w, 1, overChannels)]
            projected = Self.combine(
                Self.combine(result, s.x, 0, overImages), small.x.replacing(1, s.channels), 1, overChannels)
        case .filterGradient, .sampleGradients:
            small = ConvolutionShape(
                images: s.images, channels: 1, size: s.size, filters: 1, kernel: s.kernel, stride: s.stride)
            operands = ["x": combined("x", s.x, 1, overChannels), "y": combined("y", s.y, 1, overFilters)]
            let count = self == .filterGradient ? 1 : s.images
            let whole: Shape = [count, s.filters, s.channels, s.kernel * s.kernel]
            let one = Self.combine(result, whole, 1, overFilters)
            projected = Self.combine(one, [count, 1, s.channels, s.kernel * s.kernel], 2, overChannels)
        }
        return Check(
            projected, Interpreter.run(program(small), operands)[0],
            tolerance: 32 * precision.epsilon * Double(terms(s)).squareRoot())
    }

    /// The sum along one axis of a row-major tensor, each slice times its sign.
    static func combine(_ values: [Double], _ shape: Shape, _ axis: Int, _ signs: [Double]) -> [Double] {
        let inner = shape.dims[(axis + 1)...].reduce(1, *), count = shape[axis]
        let outer = shape.dims[..<axis].reduce(1, *)
        var result = [Double](repeating: 0, count: outer * inner)
        result.withUnsafeMutableBufferPointer { result in
            values.withUnsafeBufferPointer { values in
                for o in 0..<outer {
                    for j in 0..<count {
                        let start = (o * count + j) * inner, sign = signs[j]
                        for i in 0..<inner { result[o * inner + i] += sign * values[start + i] }
                    }
                }
            }
        }
        return result
    }
}

extension Shape {
    /// This shape with another extent along one axis.
    fileprivate func replacing(_ axis: Int, _ extent: Int) -> Shape {
        var result = self
        result[axis] = extent
        return result
    }
}

extension Workload {
    /// Shapes of small and large networks, in all roles.
    static func convolution(_ precision: Precision) -> [Workload] {
        let medium = ConvolutionShape(images: 64, channels: 64, size: 32, filters: 64)
        let first = ConvolutionShape(images: 64, channels: 1, size: 28, filters: 32)
        let narrow = ConvolutionShape(images: 128, channels: 16, size: 32, filters: 16)
        let shapes = [
            ConvolutionShape(images: 32, channels: 64, size: 56, filters: 64),
            ConvolutionShape(images: 32, channels: 128, size: 28, filters: 128), medium,
            ConvolutionShape(images: 64, channels: 3, size: 32, filters: 32), first, narrow,
            ConvolutionShape(images: 128, channels: 32, size: 16, filters: 32),
            ConvolutionShape(images: 128, channels: 64, size: 8, filters: 64),
            ConvolutionShape(images: 64, channels: 64, size: 32, filters: 64, kernel: 1),
            ConvolutionShape(images: 64, channels: 32, size: 28, filters: 64, stride: 2),
        ]
        let roles: [ConvolutionRole] = [.forward, .inputGradient, .filterGradient]
        let quick = [medium.name: roles, narrow.name: [.forward], first.name: [.filterGradient]]
        return roles.flatMap { role in
            shapes.map { convolution(role, $0, precision, quick: quick[$0.name, default: []].contains(role)) }
        } + [convolution(.sampleGradients, narrow, precision, quick: false)]
    }

    private static func convolution(
        _ role: ConvolutionRole, _ shape: ConvolutionShape, _ precision: Precision, quick: Bool
    ) -> Workload {
        Workload("convolution/\(role.rawValue)/\(shape.name)", quick: quick, precision) { setting in
            let bound = try BoundProgram(role.program(shape), setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: { role.check(shape, bound.values, try bound.result(), setting, precision) })
        }
    }
}
