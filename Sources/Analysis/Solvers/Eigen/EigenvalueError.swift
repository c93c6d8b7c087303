/// What is known of the eigenvalues that are not listed.
struct OtherValues {
    /// None is larger, beside those listed from the top; nil if that is not known.
    var atMost: Double?
    /// None is smaller, beside those listed from the bottom.
    var atLeast: Double?
}

/// What is known of an eigenvalue's error.
public struct EigenvalueError: Sendable, Equatable {
    /// An interval that holds an eigenvalue of the operator as it was applied: λ ± the residual, and 32 ε‖A‖ for the rounding of
    /// products, which no residual sees.
    public let interval: ClosedRange<Double>
    /// A bound of the error: of the residual, or the smaller quadratic one.
    public let bound: Double
    /// Whether the bound is the quadratic one, `r²/gap` (Kato and Temple): it holds if no value between those listed was missed.
    public let isQuadratic: Bool

    /// The errors of values in the order of an end, by their residuals and by where the others are.
    static func all(
        _ values: [Double], _ residuals: [Double], _ wanted: WantedValues,
        others: OtherValues = OtherValues(), rounding: Double
    ) -> [EigenvalueError] {
        let falling = values.indices.sorted { values[$0] > values[$1] }
        var place = [Int](repeating: 0, count: values.count)
        for (rank, index) in falling.enumerated() { place[index] = rank }
        return values.indices.map { index in
            let (value, r) = (values[index], residuals[index])
            // The neighbours must be known on both sides; beyond the first value of an end there is none.
            func gap(to rank: Int) -> Double? {
                let here = place[index]
                // Behind the last value of an end lies all the rest, between the halves if there are two.
                if wanted.top > 0, here == wanted.top - 1, rank == wanted.top {
                    return others.atMost.map { value - $0 - rounding }
                }
                if wanted.bottom > 0, here == wanted.top, rank == wanted.top - 1 {
                    return others.atLeast.map { $0 - value - rounding }
                }
                guard falling.indices.contains(rank) else {
                    return rank < 0 && wanted.top > 0 || rank > 0 && wanted.bottom > 0 ? .infinity : nil
                }
                return abs(value - values[falling[rank]]) - residuals[falling[rank]] - rounding
            }
            var bound = r + rounding, isQuadratic = false
            if let above = gap(to: place[index] - 1), let below = gap(to: place[index] + 1),
                min(above, below) > r, r * r / min(above, below) < r
            {
                (bound, isQuadratic) = (r * r / min(above, below) + rounding, true)
            }
            return EigenvalueError(
                interval: value - r - rounding...value + r + rounding, bound: bound,
                isQuadratic: isQuadratic)
        }
    }
}
