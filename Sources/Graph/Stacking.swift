extension Program {
    /// This program for `count` values at once of the inputs named by `varies`: they, and every output that depends on
    /// them, get a leading axis of extent `count`. What does not depend on them is computed once and keeps its shape.
    ///
    /// Entry `j` of every output is what this program gives for entry `j` of the varying inputs.
    public func stacked(_ count: Int, whatVariesWith varies: (String) -> Bool) -> Program {
        let stacking = Stacking(trace: Trace(), count: count)
        var values: [Stacked] = []
        values.reserveCapacity(nodes.count)
        for node in nodes {
            if case .input(let name) = node.primitive {
                let varies = varies(name)
                let shape = varies ? stacking.shape(node.shape, 0) : node.shape
                values.append(Stacked(stacking.trace.input(name, shape), varies ? 0 : nil))
            } else {
                values.append(stacking.apply(node, node.operands.map { values[$0] }))
            }
        }
        let results = outputs.map { port in
            let value = values[port.node]
            return (port.name, value.axis == nil ? value.tensor : stacking.moved(value, to: 0))
        }
        return stacking.trace.program(results).simplified()
    }
}

/// A value while its program is stacked.
struct Stacked {
    /// All values, or the one that serves all.
    let tensor: Tensor
    /// Where the axis of the stack is; nil if there is one value for all.
    let axis: Int?

    init(_ tensor: Tensor, _ axis: Int?) { (self.tensor, self.axis) = (tensor, axis) }
}

/// The rules of stacking, one for every primitive.
///
/// The axis of the stack may be anywhere: a product leaves it where it comes out, beside the axis that it was folded
/// into, and elementwise steps read it from there. For images that is behind the samples, `[N, k, C, H, W]`: as samples
/// of one convolution and as channels of another, neither moves a number.
struct Stacking {
    let trace: Trace
    /// Extent of the stack.
    let count: Int

    /// A value's shape with the stack's axis at a place.
    func shape(_ one: Shape, _ axis: Int) -> Shape { Shape(inserting(count, one.dims, axis)) }

    /// A value with the stack's axis at a place; one for all is repeated.
    func moved(_ value: Stacked, to axis: Int) -> Tensor {
        guard let from = value.axis else {
            let one = value.tensor.shape
            return value.tensor.reshaped(Shape(inserting(1, one.dims, axis))).broadcast(to: shape(one, axis))
        }
        var order = Array(0..<value.tensor.shape.rank)
        order.insert(order.remove(at: from), at: axis)
        return value.tensor.permuted(order)
    }

    /// A node of the program with stacked operands.
    func apply(_ node: Node, _ operands: [Stacked]) -> Stacked {
        guard operands.contains(where: { $0.axis != nil }) else {
            return Stacked(trace.emit(node.primitive, operands.map(\.tensor), node.shape), nil)
        }
        switch node.primitive {
        case .input, .constant: preconditionFailure("\(node.primitive.name) reads nothing")
        case .add, .mul, .select, .greater, .elementwise:
            let axis = commonAxis(operands)
            let aligned = operands.map { moved($0, to: axis) }
            return Stacked(trace.emit(node.primitive, aligned, shape(node.shape, axis)), axis)
        case .reshape: return reshaped(operands[0], node.shape)
        case .permute(let order): return permuted(operands[0], order)
        case .broadcast: return broadcast(operands[0], node.shape)
        case .reduceSum, .reduceMax:
            let axis = operands[0].axis!
            return Stacked(
                trace.emit(node.primitive, [operands[0].tensor], shape(node.shape, axis)), axis)
        case .slice(let starts, let steps):
            return window(operands[0], node.shape, starts, steps) { .slice(starts: $0, steps: $1) }
        case .pad(let starts, let steps):
            return window(operands[0], node.shape, starts, steps) { .pad(starts: $0, steps: $1) }
        case .gather(let axis):
            return indexed(operands[0], operands[1], node.shape, axis) { .gather(axis: $0) }
        case .scatterAdd(let axis):
            return indexed(operands[0], operands[1], node.shape, axis) { .scatterAdd(axis: $0) }
        case .matmul(let transposeA, let transposeB):
            return matmul(operands[0], operands[1], transposeA, transposeB, node.shape)
        case .conv(let window): return conv(operands[0], operands[1], window, node.shape)
        case .dgrad(let window): return dgrad(operands[0], operands[1], window, node.shape)
        case .wgrad(let window): return wgrad(operands[0], operands[1], window, node.shape)
        }
    }

    /// Where an elementwise operation puts the axis: as an input has it, for results that go out beside it; else as
    /// something computed has it, since views are read from anywhere.
    private func commonAxis(_ operands: [Stacked]) -> Int {
        func first(where matches: (Primitive) -> Bool) -> Int? {
            operands.first { $0.axis != nil && matches(trace.nodes[$0.tensor.id].primitive) }?.axis
        }
        return first { if case .input = $0 { true } else { false } } ?? first { !$0.isView }
            ?? first { _ in true }!
    }

    private func broadcast(_ x: Stacked, _ result: Shape) -> Stacked {
        // What is repeated for every sample takes its place among what comes out of products.
        let isForSamples = x.axis == 0 && result.rank > 1 && x.tensor.shape[1] == 1 && result[0] > 1
        let axis = isForSamples ? 1 : x.axis!
        return Stacked(moved(x, to: axis).broadcast(to: shape(result, axis)), axis)
    }

    private func reshaped(_ x: Stacked, _ result: Shape) -> Stacked {
        let axis = x.axis!
        let before = x.tensor.shape.dims.prefix(axis).reduce(1, *)
        // The axis stays where as many elements come before it; else it goes to the front.
        let place = (0...result.rank).first { result.dims.prefix($0).reduce(1, *) == before }
        let source = place == nil ? moved(x, to: 0) : x.tensor
        return Stacked(source.reshaped(shape(result, place ?? 0)), place ?? 0)
    }

    private func permuted(_ x: Stacked, _ order: [Int]) -> Stacked {
        let axis = x.axis!
        // It follows the axis it was behind.
        let place = axis == 0 ? 0 : order.firstIndex(of: axis - 1)! + 1
        let others = order.map { $0 < axis ? $0 : $0 + 1 }
        return Stacked(x.tensor.permuted(inserting(axis, others, place)), place)
    }

    private func window(
        _ x: Stacked, _ result: Shape, _ starts: [Int], _ steps: [Int],
        _ primitive: ([Int], [Int]) -> Primitive
    ) -> Stacked {
        let axis = x.axis!
        let moved = primitive(inserting(0, starts, axis), inserting(1, steps, axis))
        return Stacked(trace.emit(moved, [x.tensor], shape(result, axis)), axis)
    }

    /// `gather` or `scatterAdd` along an axis.
    private func indexed(
        _ x: Stacked, _ index: Stacked, _ result: Shape, _ axis: Int, _ primitive: (Int) -> Primitive
    ) -> Stacked {
        if index.axis == nil {
            let stack = x.axis!
            let along = axis < stack ? axis : axis + 1
            return Stacked(
                trace.emit(primitive(along), [x.tensor, index.tensor], shape(result, stack)), stack)
        }
        // The axis becomes `count` such axes in a row, and every entry's indices point into its own.
        let isGather = if case .gather = primitive(0) { true } else { false }
        let one = x.axis == nil ? x.tensor.shape[axis] : x.tensor.shape[axis < x.axis! ? axis : axis + 1]
        let extent = Double(isGather ? one : result[axis])
        let k = moved(index, to: 0)
        let starts = trace.constant((0..<count).map { Double($0) * extent }, [count, 1])
        let isInside = k.greater(than: k.filled(-0.5)) * k.filled(extent).greater(than: k)
        let shifted = isInside.select(k + starts.broadcast(to: k.shape), else: k.filled(-1))
        let row = folded(moved(x, to: axis), axis)
        var whole = result
        whole[axis] *= count
        let y = trace.emit(primitive(axis), [row, shifted.reshaped([k.shape.count])], whole)
        return Stacked(y.reshaped(shape(result, axis)), axis)
    }

    /// The axes `axis` and `axis + 1` as one.
    func folded(_ x: Tensor, _ axis: Int) -> Tensor {
        var dims = x.shape.dims
        dims[axis] *= dims.remove(at: axis + 1)
        return x.reshaped(Shape(dims))
    }

    private func inserting(_ value: Int, _ list: [Int], _ place: Int) -> [Int] {
        var result = list
        result.insert(value, at: place)
        return result
    }
}

extension Primitive {
    /// Whether it only looks at its operand in another way.
    fileprivate var isView: Bool {
        switch self {
        case .reshape, .permute, .broadcast, .slice: true
        default: false
        }
    }
}
