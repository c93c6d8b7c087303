import Foundation

/// A stream of random numbers, fixed by a seed and a purpose, that can be left and resumed at any number.
///
/// Every value is a function of seed, purpose and `position` alone (Philox 4x32-10; the counter's lower half
/// is the block number, its upper half a hash of the purpose, the key is the seed). Nothing is hidden: a
/// stream with the same position goes on with the same bits, also between the two halves of a Box-Muller
/// pair. A bulk call gives exactly the values of as many single calls. Streams of different purposes do not
/// overlap.
public struct RandomStream: Sendable, Codable, Equatable {
    /// The seed, Philox's key.
    public let seed: UInt64
    /// What the numbers are for, such as `"initialisation"` or `"probe/3"`.
    public let purpose: String
    /// Random 32-bit words used up so far, four to a block.
    ///
    /// Values of two words move it from 0 to 2 to 4; the first normal of a pair moves it to 1, the second to
    /// 4.
    public var position: UInt64

    private let purposeHash: UInt64
    private var cachedBlock: UInt64 = .max
    private var cached = SIMD4<UInt32>()

    /// The stream of `seed` for `purpose`, from its beginning or from a `position` saved before.
    public init(seed: UInt64, purpose: String, position: UInt64 = 0) {
        self.seed = seed
        self.purpose = purpose
        self.position = position
        purposeHash = Self.hash(purpose)
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double {
        Self.unit(word())
    }

    /// A standard normal number (Box-Muller; the pair comes from one block).
    public mutating func normal() -> Double {
        if position & 3 > 1 { skipToNextBlock() }
        let words = block(position >> 2)
        let radius = (-2 * log(1 - Self.unit(Self.pair(words[0], words[1])))).squareRoot()
        let angle = 2 * Double.pi * Self.unit(Self.pair(words[2], words[3]))
        if position & 3 == 0 {
            position &+= 1
            return radius * cos(angle)
        }
        position &+= 3
        return radius * sin(angle)
    }

    /// -1 or 1, each with probability one half.
    public mutating func rademacher() -> Double {
        word() >> 63 == 0 ? -1 : 1
    }

    /// A whole number in `0..<bound`, all equally likely (Lemire, "Fast random integer generation in an
    /// interval").
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "integer(below: \(bound)): the bound must be positive")
        let bound = UInt64(bound)
        let threshold = (0 &- bound) % bound
        while true {
            let product = word().multipliedFullWidth(by: bound)
            if product.low >= threshold { return Int(product.high) }
        }
    }

    /// The numbers `0..<n` in random order, every order equally likely (Fisher-Yates).
    public mutating func permutation(_ n: Int) -> [Int] {
        precondition(n >= 0, "permutation(\(n)): the count must not be negative")
        var order = Array(0..<n)
        for last in stride(from: n - 1, to: 0, by: -1) {
            order.swapAt(last, integer(below: last + 1))
        }
        return order
    }

    /// `n` words of 64 random bits; each moves the position by 2.
    public mutating func words(_ n: Int) -> [UInt64] {
        bulk(n) { (stream: inout RandomStream) in stream.word() }
    }

    /// `n` values of `uniform()`.
    public mutating func uniforms(_ n: Int) -> [Double] {
        bulk(n) { (stream: inout RandomStream) in stream.uniform() }
    }

    /// `n` values of `normal()`.
    public mutating func normals(_ n: Int) -> [Double] {
        bulk(n) { (stream: inout RandomStream) in stream.normal() }
    }

    /// `n` values of `rademacher()`.
    public mutating func rademachers(_ n: Int) -> [Double] {
        bulk(n) { (stream: inout RandomStream) in stream.rademacher() }
    }

    /// Equal streams give the same numbers from here on.
    public static func == (a: RandomStream, b: RandomStream) -> Bool {
        a.seed == b.seed && a.purpose == b.purpose && a.position == b.position
    }
}

// MARK: - Words

extension RandomStream {
    /// 64 random bits, two words of one block.
    private mutating func word() -> UInt64 {
        if position & 1 != 0 { skipToNextBlock() }
        let words = block(position >> 2)
        let upperHalf = position & 2 != 0
        position &+= 2
        return upperHalf ? Self.pair(words[2], words[3]) : Self.pair(words[0], words[1])
    }

    private mutating func skipToNextBlock() {
        position = (position | 3) &+ 1
    }

    private mutating func block(_ number: UInt64) -> SIMD4<UInt32> {
        if number != cachedBlock {
            let counter = SIMD4(
                UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32),
                UInt32(truncatingIfNeeded: purposeHash), UInt32(truncatingIfNeeded: purposeHash >> 32))
            let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
            cached = Philox.block(counter: counter, key: key)
            cachedBlock = number
        }
        return cached
    }

    @inline(__always)
    private mutating func bulk<Value>(_ n: Int, _ draw: (inout RandomStream) -> Value) -> [Value] {
        precondition(n >= 0, "the count of random numbers is \(n), it must not be negative")
        var stream = self
        let values = [Value](unsafeUninitializedCapacity: n) { buffer, filled in
            for i in 0..<n { buffer.initializeElement(at: i, to: draw(&stream)) }
            filled = n
        }
        self = stream
        return values
    }

    private static func pair(_ low: UInt32, _ high: UInt32) -> UInt64 {
        UInt64(high) << 32 | UInt64(low)
    }

    private static func unit(_ word: UInt64) -> Double {
        Double(word >> 11) * 0x1p-53
    }

    /// 64-bit FNV-1a of the UTF-8 bytes; unlike `Hasher`, the same in every process.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

// MARK: - Codable

extension RandomStream {
    private enum CodingKeys: String, CodingKey {
        case seed
        case purpose
        case position
    }

    /// Restores a stream at the position it was saved with.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            seed: try values.decode(UInt64.self, forKey: .seed),
            purpose: try values.decode(String.self, forKey: .purpose),
            position: try values.decode(UInt64.self, forKey: .position))
    }

    /// Saves seed, purpose and position.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(seed, forKey: .seed)
        try values.encode(purpose, forKey: .purpose)
        try values.encode(position, forKey: .position)
    }
}
