import Foundation

/// Shown ranges and tick positions.
enum AxisRange {
    /// The range that shows all `values` an axis can show, with `padding` as a share of it on each side.
    static func fitting(_ values: some Sequence<Double>, axis: Axis, padding: Double) -> ClosedRange<Double>?
    {
        var low = Double.infinity
        var high = -Double.infinity
        for value in values where axis.shows(value) {
            low = min(low, value)
            high = max(high, value)
        }
        guard low <= high else { return nil }
        if let range = axis.range { return range }
        return padded(low, high, isLogarithmic: axis.isLogarithmic, padding: padding)
    }

    /// `low ... high` with room on both sides; equal values get a range around them.
    static func padded(
        _ low: Double, _ high: Double, isLogarithmic: Bool, padding: Double
    ) -> ClosedRange<Double> {
        if isLogarithmic {
            let a = log10(low)
            let b = log10(high)
            let room = b - a < 1e-9 ? 0.3 : (b - a) * padding
            // The tick machinery of plotting programs needs normal numbers.
            return max(pow(10, a - room), 1e-300)...min(max(pow(10, b + room), 2e-300), 1e300)
        }
        let scale = max(abs(low), abs(high))
        let span = high / 2 - low / 2
        if span <= scale * 1e-12 {
            let room = scale == 0 ? 1 : min(scale * 0.1, 1e299)
            return max(low, -1e300) - room...min(high, 1e300) + room
        }
        let room = min(span * 2, 1e300) * padding
        return max(low, -1e300) - room...min(high, 1e300) + room
    }

    /// Steps of 1, 2 or 5 times a power of ten: about `count` values strictly inside `range`.
    static func niceSteps(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite, count > 0 else { return [] }
        let raw = span / Double(count)
        let power = pow(10, floor(log10(raw)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.75 } ?? 10 * power
        let first = (range.lowerBound / step).rounded(.up)
        let last = (range.upperBound / step).rounded(.down)
        // Beyond 2^53 neighbouring steps are the same number.
        guard step.isNormal, first <= last, max(abs(first), abs(last)) < 0x1p53 else { return [] }
        let inverse = (1 / step).rounded()
        return (0...Int(last - first)).map { offset in
            // Dividing by the inverse gives 0.3 where multiplying by 0.1 gives 0.30000000000000004.
            let multiple = first + Double(offset)
            return step < 1 && inverse.isFinite ? multiple / inverse : multiple * step
        }.filter { $0 > range.lowerBound && $0 < range.upperBound }
    }

    /// Values 1, 2 and 5 (or only 1) times powers of ten strictly inside `range`, thinned to `count`.
    static func niceRatios(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        guard range.lowerBound > 0, range.upperBound.isFinite else { return [] }
        let decades = log10(range.upperBound) - log10(range.lowerBound)
        let first = Int(floor(log10(range.lowerBound)))
        let last = Int(ceil(log10(range.upperBound)))
        let digits = decades * 3 <= Double(count) * 1.3 ? [1.0, 2, 5] : [1.0]
        let stride = digits.count == 3 ? 1 : max(1, Int((decades / Double(count)).rounded(.up)))
        var values: [Double] = []
        for exponent in first...last where exponent % stride == 0 {
            values += digits.compactMap { Double("\(Int($0))e\(exponent)") }
        }
        values = values.filter { $0 > range.lowerBound && $0 < range.upperBound }
        return values.count < 3 && decades < 2 ? niceSteps(range, count: count) : values
    }
}
