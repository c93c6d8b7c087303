/// Which end of a spectrum is wanted, by the names of ARPACK.
public enum SpectrumEnd: String, CaseIterable, Codable, Sendable {
    /// The largest eigenvalues, largest first.
    case largest = "LA"
    /// The smallest (most negative) eigenvalues, smallest first.
    case smallest = "SA"
    /// Half from each end, the odd one from the top; largest first.
    case both = "BE"

    /// How many of `count` values come from the top and from the bottom.
    func shares(_ count: Int) -> (top: Int, bottom: Int) {
        switch self {
        case .largest: (count, 0)
        case .smallest: (0, count)
        case .both: ((count + 1) / 2, count / 2)
        }
    }
}

/// How many values are wanted from either end of a spectrum, and which those are.
struct WantedValues {
    let end: SpectrumEnd
    let top: Int, bottom: Int

    init(_ end: SpectrumEnd, _ count: Int) {
        self.end = end
        (top, bottom) = end.shares(count)
    }

    var count: Int { top + bottom }

    /// How many of the new values (ascending) are wanted from the top and from the bottom beside the known ones. A new
    /// value displaces a known one only if it is better by more than the margin.
    func missing(
        known: [Double], new: [Double], margin: (Double) -> Double
    ) -> (top: Int, bottom: Int) {
        let high = Self.taken(
            top, known.sorted(by: >), new.reversed()
        ) { $0 > $1 + margin($1) }
        let low = Self.taken(bottom, known.sorted(), new) { $0 < $1 - margin($1) }
        return (high, min(low, new.count - high))
    }

    /// How many of the first `count` in the merged order are new.
    private static func taken(
        _ count: Int, _ known: [Double], _ new: [Double], _ isBetter: (Double, Double) -> Bool
    ) -> Int {
        var (i, j) = (0, 0)
        while i + j < count, i < known.count || j < new.count {
            if j < new.count, i == known.count || isBetter(new[j], known[i]) { j += 1 } else { i += 1 }
        }
        return j
    }

    /// The wanted ones of some values, in the order in which they are listed.
    func order(_ values: [Double]) -> [Int] {
        let falling = values.indices.sorted { values[$0] > values[$1] }
        if values.count <= count { return end == .smallest ? falling.reversed() : falling }
        let low = Array(falling.suffix(bottom))
        return falling.prefix(top) + (end == .smallest ? low.reversed() : low)
    }

    /// The least of the top values and the greatest of the bottom ones, where the ends are full.
    func limits(_ values: [Double]) -> (floor: Double?, ceiling: Double?) {
        let sorted = values.sorted()
        return (
            top > 0 && sorted.count >= top ? sorted[sorted.count - top] : nil,
            bottom > 0 && sorted.count >= bottom ? sorted[bottom - 1] : nil
        )
    }
}
