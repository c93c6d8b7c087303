/// A type of number in a file; `size` is in bytes.
enum NumberKind: String, CaseIterable {
    case bool, int8, int16, int32, int64, uint8, uint16, uint32, float16, float32, float64

    var size: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .float64: 8
        }
    }
}

/// The product of `shape` if it and its size in bytes fit; nil if they overflow.
func elementCount(_ shape: [Int], size: Int) -> Int? {
    if shape.contains(0) { return 0 }
    var bytes = size
    for extent in shape {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
        if overflow { return nil }
        bytes = product
    }
    return bytes / size
}

/// `count` numbers of `kind` from `bytes[offset...]`, which the caller has checked to be there.
///
/// Floats stay floats (half becomes single precision), bytes stay bytes, all else becomes int64.
func decodeNumbers(
    _ bytes: [UInt8], at offset: Int, count: Int, kind: NumberKind, bigEndian: Bool
) -> NDArray.Storage {
    let source = Source(bytes: bytes, offset: offset, count: count, bigEndian: bigEndian)
    return switch kind {
    case .uint8: .uint8(Array(bytes[offset..<offset + count]))
    case .bool: .int64(source.map { (word: UInt8) in word == 0 ? 0 : 1 })
    case .int8: .int64(source.map { (word: UInt8) in Int64(Int8(bitPattern: word)) })
    case .int16: .int64(source.map { (word: UInt16) in Int64(Int16(bitPattern: word)) })
    case .int32: .int64(source.map { (word: UInt32) in Int64(Int32(bitPattern: word)) })
    case .int64: .int64(source.map { (word: UInt64) in Int64(bitPattern: word) })
    case .uint16: .int64(source.map { (word: UInt16) in Int64(word) })
    case .uint32: .int64(source.map { (word: UInt32) in Int64(word) })
    case .float16: .float32(source.map { (word: UInt16) in single(half: word) })
    case .float32: .float32(source.map { (word: UInt32) in Float(bitPattern: word) })
    case .float64: .float64(source.map { (word: UInt64) in Double(bitPattern: word) })
    }
}

private struct Source {
    let bytes: [UInt8]
    let offset: Int
    let count: Int
    let bigEndian: Bool

    @inline(__always)
    func map<Word: FixedWidthInteger & BitwiseCopyable, Value>(_ convert: (Word) -> Value) -> [Value] {
        bytes.withUnsafeBytes { raw in
            [Value](unsafeUninitializedCapacity: count) { buffer, filled in
                for i in 0..<count {
                    let at = offset + i * MemoryLayout<Word>.size
                    let word = raw.loadUnaligned(fromByteOffset: at, as: Word.self)
                    let ordered = bigEndian ? Word(bigEndian: word) : Word(littleEndian: word)
                    buffer.initializeElement(at: i, to: convert(ordered))
                }
                filled = count
            }
        }
    }
}

/// The value of an IEEE half-precision bit pattern.
func single(half bits: UInt16) -> Float {
    let exponent = Int(bits >> 10 & 31)
    let fraction = Float(bits & 1023)
    let magnitude: Float =
        switch exponent {
        case 0: fraction * 0x1p-24
        case 31: fraction == 0 ? .infinity : .nan
        default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
        }
    return bits >> 15 == 0 ? magnitude : -magnitude
}

extension [UInt8] {
    /// The little-endian whole number of `size` bytes at `offset`; nil past the end or beyond `Int`.
    func littleEndian(at offset: Int, size: Int) -> Int? {
        guard offset >= 0, offset <= count - size else { return nil }
        let value = self[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(exactly: value)
    }

    /// Appends the lowest `size` bytes of `value`, least significant first.
    mutating func appendLittleEndian(_ value: Int, size: Int) {
        for i in 0..<size { append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }
}
