/// A value inside a trace. Operations on tensors add nodes to their trace.
public struct Tensor {
    /// The trace it belongs to.
    public let trace: Trace
    /// Its node's id.
    public let id: Int

    /// The value of a node of a trace.
    public init(trace: Trace, id: Int) { (self.trace, self.id) = (trace, id) }

    /// Its shape.
    public var shape: Shape { trace.nodes[id].shape }

    /// A constant of the same shape and trace.
    public func filled(_ value: Double) -> Tensor { trace.constant(value, shape) }

    // MARK: Elementwise

    /// Sum of two tensors of one shape.
    public static func + (a: Tensor, b: Tensor) -> Tensor { a.trace.emit(.add, [a, b], a.shape) }
    /// Product of two tensors of one shape.
    public static func * (a: Tensor, b: Tensor) -> Tensor { a.trace.emit(.mul, [a, b], a.shape) }
    /// Difference of two tensors of one shape.
    public static func - (a: Tensor, b: Tensor) -> Tensor { a + b * -1 }
    /// Quotient of two tensors of one shape.
    public static func / (a: Tensor, b: Tensor) -> Tensor { a * b.reciprocal() }
    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) -> Tensor { a + a.filled(b) }
    /// Multiplies every element by a number.
    public static func * (a: Tensor, b: Double) -> Tensor { a * a.filled(b) }

    /// 1 where this tensor is greater than the other, else 0.
    public func greater(than other: Tensor) -> Tensor { trace.emit(.greater, [self, other], shape) }
    /// `a` where this tensor is not zero, else `b`.
    public func select(_ a: Tensor, else b: Tensor) -> Tensor { trace.emit(.select, [self, a, b], a.shape) }
    /// A function of the table, applied to every element.
    public func apply(_ function: Function) -> Tensor { trace.emit(.elementwise(function), [self], shape) }

    /// e to the power of every element.
    public func exp() -> Tensor { apply(.exp) }
    /// Natural logarithm.
    public func log() -> Tensor { apply(.log) }
    /// Sine.
    public func sin() -> Tensor { apply(.sin) }
    /// Cosine.
    public func cos() -> Tensor { apply(.cos) }
    /// Hyperbolic tangent.
    public func tanh() -> Tensor { apply(.tanh) }
    /// 1/(1 + e⁻ˣ).
    public func sigmoid() -> Tensor { apply(.sigmoid) }
    /// log(1 + eˣ).
    public func softplus() -> Tensor { apply(.softplus) }
    /// Error function.
    public func erf() -> Tensor { apply(.erf) }
    /// Square root.
    public func sqrt() -> Tensor { apply(.sqrt) }
    /// 1/√x.
    public func rsqrt() -> Tensor { apply(.rsqrt) }
    /// 1/x.
    public func reciprocal() -> Tensor { apply(.reciprocal) }

    /// The same value, counted as a constant by `jvp` and `vjp`.
    public func held() -> Tensor { apply(.hold) }

    // MARK: Shape

    /// The same elements under another shape.
    public func reshaped(_ shape: Shape) -> Tensor { trace.emit(.reshape, [self], shape) }

    /// Axes reordered: axis `i` of the result is axis `order[i]` of this tensor.
    public func permuted(_ order: [Int]) -> Tensor {
        precondition(order.sorted() == Array(0..<shape.rank), "axes \(order) do not reorder \(shape)")
        return trace.emit(.permute(order), [self], Shape(order.map { shape.dims[$0] }))
    }

    /// Axes of extent 1 repeated; the rank stays.
    public func broadcast(to shape: Shape) -> Tensor { trace.emit(.broadcast, [self], shape) }

    /// Every `steps[i]`-th element from `starts[i]`, `shape` of them.
    public func sliced(starts: [Int], steps: [Int]? = nil, shape: Shape) -> Tensor {
        let steps = steps ?? starts.map { _ in 1 }
        return trace.emit(.slice(starts: starts, steps: steps), [self], shape)
    }

    /// The transpose of `sliced`: this tensor inside zeros.
    public func padded(starts: [Int], steps: [Int]? = nil, shape: Shape) -> Tensor {
        let steps = steps ?? starts.map { _ in 1 }
        return trace.emit(.pad(starts: starts, steps: steps), [self], shape)
    }

    /// Sum over the given axes, which stay with extent 1.
    public func sum(_ axes: [Int]) -> Tensor { trace.emit(.reduceSum, [self], shape.reducing(axes)) }
    /// Sum of all elements, as a scalar.
    public func sum() -> Tensor { sum(Array(0..<shape.rank)).reshaped([]) }
    /// Sum over the axes that have extent 1 in `shape`.
    public func sum(to shape: Shape) -> Tensor { trace.emit(.reduceSum, [self], shape) }
    /// Greatest element over the given axes, which stay with extent 1.
    public func max(_ axes: [Int]) -> Tensor { trace.emit(.reduceMax, [self], shape.reducing(axes)) }

    /// Slices along an axis at whole-numbered indices `[K]`.
    public func gathered(at index: Tensor, axis: Int) -> Tensor {
        var result = shape
        result[axis] = index.shape.count
        return trace.emit(.gather(axis: axis), [self, index], result)
    }

    /// Adds slices along an axis into zeros of extent `count`.
    public func scattered(at index: Tensor, axis: Int, count: Int) -> Tensor {
        var result = shape
        result[axis] = count
        return trace.emit(.scatterAdd(axis: axis), [self, index], result)
    }

    // MARK: Products

    /// Batched matrix product over the last two axes.
    public func matmul(_ other: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
        precondition(
            shape.rank >= 2 && other.shape.rank >= 2,
            "matmul of \(shape) and \(other.shape): matrices are needed")
        var result = shape
        result[-2] = shape[transposeA ? -1 : -2]
        result[-1] = other.shape[transposeB ? -2 : -1]
        let primitive = Primitive.matmul(transposeA: transposeA, transposeB: transposeB)
        return trace.emit(primitive, [self, other], result)
    }

    /// Two-dimensional convolution of images `[N, C, H, W]` with filters `[F, C/groups, kh, kw]`.
    public func conv(_ filters: Tensor, _ window: Window) -> Tensor {
        precondition(
            shape.rank == 4 && filters.shape.rank == 4, "conv of \(shape) with \(filters.shape): 4 axes each")
        let (height, width) = window.outputSize(
            height: shape[2], width: shape[3], kernelH: filters.shape[2], kernelW: filters.shape[3])
        return trace.emit(
            .conv(window), [self, filters],
            [shape[0], filters.shape[0], Swift.max(0, height), Swift.max(0, width)])
    }

    /// The derivative of ⟨self, conv(x, filters)⟩ in `x`, which has shape `images`.
    public func dgrad(_ filters: Tensor, _ window: Window, images: Shape) -> Tensor {
        trace.emit(.dgrad(window), [self, filters], images)
    }

    /// The derivative of ⟨y, conv(self, w)⟩ in `w`, which has shape `filters`.
    public func wgrad(_ y: Tensor, _ window: Window, filters: Shape) -> Tensor {
        trace.emit(.wgrad(window), [self, y], filters)
    }
}
