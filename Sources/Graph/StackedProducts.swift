/// Products fold the stack into one of their axes, so that a stack is one wide product; only where both factors vary
/// it becomes a batch axis, or groups of a convolution.
extension Stacking {
    func matmul(
        _ a: Stacked, _ b: Stacked, _ transposeA: Bool, _ transposeB: Bool, _ result: Shape
    ) -> Stacked {
        let batches = result.rank - 2
        if let axisA = a.axis, let axisB = b.axis {
            let axis = axisA == axisB && axisA <= batches ? axisA : 0
            let y = moved(a, to: axis).matmul(
                moved(b, to: axis), transposeA: transposeA, transposeB: transposeB)
            return Stacked(y, axis)
        }
        // Beside the rows of `a` or the columns of `b`, whichever side of them it is on.
        let isLeft = a.axis != nil
        let factor = isLeft ? a : b
        let line = batches + (isLeft ? (transposeA ? 1 : 0) : (transposeB ? 0 : 1))
        let place = factor.axis! == line + 1 ? line + 1 : line
        let wide = folded(moved(factor, to: place), line)
        let y = (isLeft ? wide : a.tensor).matmul(
            isLeft ? b.tensor : wide, transposeA: transposeA, transposeB: transposeB)
        let resultAxis = batches + (isLeft ? 0 : 1) + (place - line)
        return Stacked(y.reshaped(shape(result, resultAxis)), resultAxis)
    }

    func conv(_ x: Stacked, _ w: Stacked, _ window: Window, _ result: Shape) -> Stacked {
        switch (x.axis, w.axis) {
        case (let axis?, nil):
            let place = min(axis, 1)
            let y = folded(moved(x, to: place), 0).conv(w.tensor, window)
            return Stacked(y.reshaped(shape(result, place)), place)
        case (nil, _):
            let y = x.tensor.conv(foldedChannels(moved(w, to: 0), 0, window), window)
            return Stacked(unfoldedChannels(y, 1, window), 1)
        default:
            let y = folded(moved(x, to: 1), 1).conv(folded(moved(w, to: 0), 0), grouped(window))
            return Stacked(y.reshaped(shape(result, 1)), 1)
        }
    }

    func dgrad(_ y: Stacked, _ w: Stacked, _ window: Window, _ result: Shape) -> Stacked {
        switch (y.axis, w.axis) {
        case (let axis?, nil):
            let place = min(axis, 1)
            let x = folded(moved(y, to: place), 0).dgrad(w.tensor, window, images: wide(result, 0))
            return Stacked(x.reshaped(shape(result, place)), place)
        case (nil, _):
            let x = y.tensor.dgrad(folded(moved(w, to: 1), 1), window, images: wide(result, 1))
            return Stacked(unfoldedChannels(x, 1, window), 1)
        default:
            let x = folded(moved(y, to: 1), 1).dgrad(
                folded(moved(w, to: 0), 0), grouped(window), images: wide(result, 1))
            return Stacked(x.reshaped(shape(result, 1)), 1)
        }
    }

    func wgrad(_ x: Stacked, _ y: Stacked, _ window: Window, _ result: Shape) -> Stacked {
        switch (x.axis, y.axis) {
        case (_?, nil):
            let w = foldedChannels(moved(x, to: 1), 1, window).wgrad(
                y.tensor, window, filters: wide(result, 1))
            return Stacked(w.reshaped(shape(result, 1)), 1)
        case (nil, _):
            let w = x.tensor.wgrad(
                foldedChannels(moved(y, to: 1), 1, window), window, filters: wide(result, 0))
            return Stacked(unfoldedChannels(w, 0, window), 0)
        default:
            let w = folded(moved(x, to: 1), 1).wgrad(
                folded(moved(y, to: 1), 1), grouped(window), filters: wide(result, 0))
            return Stacked(w.reshaped(shape(result, 0)), 0)
        }
    }

    /// A shape with one axis as long as that of all values in a row.
    private func wide(_ one: Shape, _ axis: Int) -> Shape {
        var result = one
        result[axis] *= count
        return result
    }

    /// A window with groups of its own for every value.
    private func grouped(_ window: Window) -> Window {
        var result = window
        result.groups *= count
        return result
    }

    /// Stack and channels `[…, k, g·c, …]` as channels `[…, g·k·c, …]`: a group keeps its channels together.
    private func foldedChannels(_ x: Tensor, _ axis: Int, _ window: Window) -> Tensor {
        if window.groups == 1 { return folded(x, axis) }
        var dims = x.shape.dims
        dims.replaceSubrange(axis + 1...axis + 1, with: [window.groups, dims[axis + 1] / window.groups])
        let grouped = swapped(x.reshaped(Shape(dims)), axis)
        return folded(folded(grouped, axis), axis)
    }

    /// Channels `[…, g·k·c, …]` as stack and channels `[…, k, g·c, …]`.
    private func unfoldedChannels(_ x: Tensor, _ axis: Int, _ window: Window) -> Tensor {
        var dims = x.shape.dims
        let groups = window.groups == 1 ? [] : [window.groups]
        dims.replaceSubrange(axis...axis, with: groups + [count, dims[axis] / (window.groups * count)])
        if groups.isEmpty { return x.reshaped(Shape(dims)) }
        return folded(swapped(x.reshaped(Shape(dims)), axis), axis + 1)
    }

    private func swapped(_ x: Tensor, _ axis: Int) -> Tensor {
        var order = Array(0..<x.shape.rank)
        order.swapAt(axis, axis + 1)
        return x.permuted(order)
    }
}
