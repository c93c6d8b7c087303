/// What repeated timings say: order statistics, which outliers hardly move.
public struct Summary: Sendable, Codable, Equatable {
    /// Number of repeats.
    public let count: Int
    /// Smallest value and the middle one.
    public let minimum: Double, median: Double
    /// Values below which a tenth, a quarter, three quarters and nine tenths of the repeats lie.
    public let q10: Double, q25: Double, q75: Double, q90: Double

    /// The width of the middle half over the median.
    public var spread: Double { median > 0 ? (q75 - q25) / median : 0 }

    /// A summary of at least one value.
    public init(_ values: [Double]) {
        precondition(!values.isEmpty, "no values to summarise")
        let sorted = values.sorted()
        count = sorted.count
        minimum = sorted[0]
        median = Self.quantile(0.5, ofSorted: sorted)
        (q10, q25) = (Self.quantile(0.1, ofSorted: sorted), Self.quantile(0.25, ofSorted: sorted))
        (q75, q90) = (Self.quantile(0.75, ofSorted: sorted), Self.quantile(0.9, ofSorted: sorted))
    }

    /// The value below which a share of the sorted values lies, linear between neighbours (type 7 of Hyndman
    /// and Fan 1996, NumPy's default).
    static func quantile(_ share: Double, ofSorted values: [Double]) -> Double {
        let place = share * Double(values.count - 1)
        let below = Int(place), above = min(below + 1, values.count - 1)
        return values[below] + (place - Double(below)) * (values[above] - values[below])
    }
}
