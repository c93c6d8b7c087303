/// Common operations made of primitives, in their numerically stable form.
extension Tensor {
    /// Mean over the given axes, which stay with extent 1.
    public func mean(_ axes: [Int]) -> Tensor {
        let total = sum(axes)
        return total * (Double(total.shape.count) / Double(Swift.max(1, shape.count)))
    }

    /// max(x, 0). Its slope at 0 is 0; a NaN stays a NaN.
    public func relu() -> Tensor { self * greater(than: filled(0)) }

    /// x·Φ(x) with the exact normal distribution function.
    public func gelu() -> Tensor { self * ((self * 0.7071067811865476).erf() * 0.5 + 0.5) }

    /// |x|, with slope 0 at 0.
    public func abs() -> Tensor { self * sign() }

    /// 1 for positive, −1 for negative elements, 0 at 0.
    public func sign() -> Tensor {
        let zero = filled(0)
        return greater(than: zero) - zero.greater(than: self)
    }

    /// Elementwise greater value; at a tie the first operand counts.
    public func maximum(_ other: Tensor) -> Tensor { other.greater(than: self).select(other, else: self) }

    /// Elementwise smaller value; at a tie the first operand counts.
    public func minimum(_ other: Tensor) -> Tensor { greater(than: other).select(other, else: self) }

    /// Every element moved into an interval.
    public func clamped(_ lower: Tensor, _ upper: Tensor) -> Tensor { maximum(lower).minimum(upper) }

    /// This tensor divided by its greatest magnitude over the given axes, and that magnitude; zeros stay zeros.
    /// Squares of the quotient neither overflow nor vanish.
    public func dividedByLargest(_ axes: [Int]) -> (quotient: Tensor, largest: Tensor) {
        let largest = abs().max(axes)
        // A power of two lifts tiny values to where 1/x exists; the quotient stays the same.
        let isTiny = largest.filled(1e-30).greater(than: largest)
        let lift = isTiny.select(largest.filled(0x1p100), else: largest.filled(1))
        let lifted = largest * lift
        let divisor = lifted.greater(than: lifted.filled(0)).select(lifted, else: lifted.filled(1))
        return (self * lift.broadcast(to: shape) / divisor.broadcast(to: shape), largest)
    }

    /// log Σ exp over an axis, which stays with extent 1. The greatest element is taken out first; its own
    /// slope cancels, so it counts as a constant.
    public func logSumExp(_ axis: Int) -> Tensor {
        let top = max([axis]).held()
        return (self - top.broadcast(to: shape)).exp().sum([axis]).log() + top
    }

    /// x − log Σ exp over an axis.
    public func logSoftmax(_ axis: Int) -> Tensor { self - logSumExp(axis).broadcast(to: shape) }

    /// exp(x)/Σ exp over an axis.
    public func softmax(_ axis: Int) -> Tensor { logSoftmax(axis).exp() }
}
