import Graph

/// A small deterministic generator for test data (SplitMix64). The seed is part of every failure message.
public struct TestRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator from a seed.
    public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Values spread over an interval.
    public mutating func values(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [Double] {
        (0..<count).map { _ in Double.random(in: range, using: &self) }
    }

    /// An extent from a range.
    public mutating func extent(_ range: ClosedRange<Int> = 1...5) -> Int {
        Int.random(in: range, using: &self)
    }

    /// Extents of the given number of axes.
    public mutating func shape(_ rank: Int, _ range: ClosedRange<Int> = 1...5) -> Shape {
        Shape((0..<rank).map { _ in extent(range) })
    }
}
