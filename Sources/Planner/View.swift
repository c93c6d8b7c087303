import Graph

/// A strided look at a buffer: element `(i, j, …)` lies at `offset + Σ index·stride`.
public struct View: Hashable, Sendable {
    /// First element, counted from the start of the buffer.
    public var offset: Int
    /// Extents.
    public var dims: [Int]
    /// Distance between neighbours along each axis; 0 repeats.
    public var strides: [Int]

    /// A view from its parts.
    public init(offset: Int, dims: [Int], strides: [Int]) {
        (self.offset, self.dims, self.strides) = (offset, dims, strides)
    }

    /// All elements of a row-major tensor.
    public init(_ shape: Shape) { self.init(offset: 0, dims: shape.dims, strides: shape.strides) }

    /// Whether the elements lie one after the other, in order.
    public var isContiguous: Bool {
        var expected = 1
        for axis in dims.indices.reversed() where dims[axis] != 1 {
            if strides[axis] != expected { return false }
            expected *= dims[axis]
        }
        return true
    }

    /// This view after one more shape operation, or nil where no strides can express it.
    func applying(_ node: Node) -> View? {
        switch node.primitive {
        case .reshape:
            if isContiguous {
                return View(offset: offset, dims: node.shape.dims, strides: node.shape.strides)
            }
            return reshapedStrides(node.shape.dims).map {
                View(offset: offset, dims: node.shape.dims, strides: $0)
            }
        case .permute(let order):
            return View(offset: offset, dims: order.map { dims[$0] }, strides: order.map { strides[$0] })
        case .broadcast:
            let repeated = zip(strides, zip(dims, node.shape.dims)).map { $1.0 == $1.1 ? $0 : 0 }
            return View(offset: offset, dims: node.shape.dims, strides: repeated)
        case .slice(let starts, let steps):
            let first = zip(starts, strides).reduce(offset) { $0 + $1.0 * $1.1 }
            return View(offset: first, dims: node.shape.dims, strides: zip(steps, strides).map { $0 * $1 })
        default:
            return nil
        }
    }
}

extension View {
    /// Strides of the same elements in the same order under other extents, or nil where there are none: axes can be
    /// cut, and joined where they lie one after the other.
    private func reshapedStrides(_ result: [Int]) -> [Int]? {
        if result.contains(0) { return nil }
        var walk = Walk(dims: dims, strides: [strides])
        var strides = [Int](repeating: 0, count: result.count)
        // From the innermost axis outwards, each is taken from what is left of the view's innermost axis.
        for axis in result.indices.reversed() where result[axis] != 1 {
            guard let extent = walk.dims.last, extent % result[axis] == 0 else { return nil }
            let stride = walk.strides[0][walk.dims.count - 1]
            strides[axis] = stride
            walk.dims[walk.dims.count - 1] = extent / result[axis]
            walk.strides[0][walk.dims.count - 1] = stride * result[axis]
            if extent == result[axis] {
                walk.dims.removeLast()
                walk.strides[0].removeLast()
            }
        }
        return strides
    }
}

/// Several views walked together, with neighbouring axes merged wherever all of them allow it.
public struct Walk: Hashable, Sendable {
    /// Extents of the merged axes.
    public var dims: [Int]
    /// Strides of every view along the merged axes.
    public var strides: [[Int]]

    /// Merges the axes of views that all have the extents `dims`.
    public init(dims: [Int], strides: [[Int]]) {
        var mergedDims: [Int] = []
        var merged = [[Int]](repeating: [], count: strides.count)
        for axis in dims.indices where dims[axis] != 1 {
            let joins =
                !mergedDims.isEmpty
                && strides.indices.allSatisfy { merged[$0].last! == strides[$0][axis] * dims[axis] }
            if joins {
                mergedDims[mergedDims.count - 1] *= dims[axis]
                for view in strides.indices { merged[view][merged[view].count - 1] = strides[view][axis] }
            } else {
                mergedDims.append(dims[axis])
                for view in strides.indices { merged[view].append(strides[view][axis]) }
            }
        }
        if mergedDims.isEmpty {
            mergedDims = [1]
            merged = strides.map { _ in [0] }
        }
        self.dims = mergedDims
        self.strides = merged
    }

    /// Number of elements that a view reads, repeated ones counted once.
    public func distinct(_ view: Int) -> Int {
        zip(dims, strides[view]).reduce(1) { $1.1 == 0 ? $0 : $0 * $1.0 }
    }

    /// How one view runs over the merged axes.
    public enum Pattern: Hashable, Sendable {
        /// One element for all.
        case scalar
        /// In step with the result.
        case linear
        /// Anything else.
        case strided
    }

    /// The pattern of a view.
    public func pattern(_ view: Int) -> Pattern {
        if strides[view].allSatisfy({ $0 == 0 }) { return dims == [1] ? .linear : .scalar }
        return strides[view] == Shape(dims).strides ? .linear : .strided
    }
}
