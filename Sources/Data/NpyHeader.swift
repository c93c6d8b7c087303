/// The header of a `.npy` file: what follows it, and where.
struct NpyHeader {
    var kind: NumberKind
    var bigEndian: Bool
    var fortranOrder: Bool
    var shape: [Int]
    /// Where the values begin, in bytes from the start of the file.
    var dataOffset: Int

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads the header at the start of `bytes`; `name` is the file to name in errors.
    init(_ bytes: [UInt8], name: String) throws(DataError) {
        guard bytes.starts(with: Self.magic) || Self.magic.starts(with: bytes) else {
            throw DataError("\(name): not a .npy file: it does not begin with the bytes \\x93NUMPY")
        }
        guard bytes.count >= 10 else {
            throw DataError("\(name): truncated: \(bytes.count) bytes do not hold a .npy header")
        }
        guard (1...3).contains(bytes[6]), bytes[7] == 0 else {
            throw DataError(
                "\(name): .npy format version \(bytes[6]).\(bytes[7]) is unknown, expected 1.0, 2.0 or 3.0")
        }
        let sizeBytes = bytes[6] == 1 ? 2 : 4
        let start = 8 + sizeBytes
        guard let length = bytes.littleEndian(at: 8, size: sizeBytes), length <= bytes.count - start else {
            throw DataError(
                "\(name): truncated: the .npy header is longer than the file (\(bytes.count) bytes)")
        }
        dataOffset = start + length

        var literal = PythonLiteral(text: Array(bytes[start..<dataOffset]))
        guard let fields = literal.dictionary(), Set(fields.keys) == ["descr", "fortran_order", "shape"],
            case .flag(let fortran)? = fields["fortran_order"], case .sequence(let extents)? = fields["shape"]
        else {
            throw DataError(
                "\(name): the .npy header is damaged, expected a dictionary of descr, fortran_order and shape"
            )
        }
        fortranOrder = fortran
        switch fields["descr"] {
        case .text(let descr):
            guard let (kind, bigEndian) = Self.type(descr) else {
                let advice =
                    "convert it with .astype to bool, int8 to int64, uint8 to uint32 or float16 to float64"
                throw DataError("\(name): NumPy type '\(descr)' is not supported; \(advice)")
            }
            (self.kind, self.bigEndian) = (kind, bigEndian)
        default:
            throw DataError(
                "\(name): structured NumPy types are not supported; save each field as its own array")
        }
        shape = []
        for extent in extents {
            guard case .whole(let value) = extent, let value, value >= 0 else {
                throw DataError(
                    "\(name): the shape in the .npy header is not a tuple of sizes that fit this machine")
            }
            shape.append(value)
        }
    }

    /// The number type and byte order of a NumPy type string such as `<f4`; nil if we do not read it.
    private static func type(_ descr: String) -> (NumberKind, Bool)? {
        let kinds: [String: NumberKind] = [
            "b1": .bool, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64, "u1": .uint8, "u2": .uint16,
            "u4": .uint32, "f2": .float16, "f4": .float32, "f8": .float64,
        ]
        let order = descr.first.flatMap { "<>=|".contains($0) ? $0 : nil }
        guard let kind = kinds[String(order == nil ? descr[...] : descr.dropFirst())] else { return nil }
        return (kind, order == ">")
    }

    /// The bytes that `numpy.save` puts before the values of a C-ordered array.
    static func encode(descr: String, shape: [Int]) -> [UInt8] {
        let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        var text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // NumPy leaves room for the first size to grow to 21 digits.
        if let first = shape.first { text += String(repeating: " ", count: 21 - String(first).count) }
        let long = text.utf8.count > 65_000
        let prefix = long ? 12 : 10
        text += String(repeating: " ", count: 64 - (prefix + text.utf8.count + 1) % 64) + "\n"
        var bytes = magic + [long ? 2 : 1, 0]
        bytes.appendLittleEndian(text.utf8.count, size: prefix - 8)
        return bytes + Array(text.utf8)
    }
}

/// The part of Python's literal syntax that appears in `.npy` headers.
private struct PythonLiteral {
    enum Value {
        case text(String)
        case flag(Bool)
        /// nil if it does not fit.
        case whole(Int?)
        case sequence([Value])
    }

    let text: [UInt8]
    var at = 0

    init(text: [UInt8]) { self.text = text }

    /// The one dictionary that is the whole text; nil if that is not what it is.
    mutating func dictionary() -> [String: Value]? {
        var fields: [String: Value] = [:]
        guard take("{") else { return nil }
        while !take("}") {
            guard case .text(let key)? = value(depth: 0), fields[key] == nil, take(":"),
                let value = value(depth: 0)
            else { return nil }
            fields[key] = value
            if !take(",") {
                guard take("}") else { return nil }
                break
            }
        }
        skipSpace()
        return at == text.count ? fields : nil
    }

    private mutating func value(depth: Int) -> Value? {
        skipSpace()
        guard at < text.count, depth < 8 else { return nil }
        switch text[at] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return string()
        case UInt8(ascii: "("): return sequence(closedBy: ")", depth: depth)
        case UInt8(ascii: "["): return sequence(closedBy: "]", depth: depth)
        default: break
        }
        let start = at
        while at < text.count, isWord(text[at]) { at += 1 }
        var word = String(decoding: text[start..<at], as: UTF8.self)
        if word == "True" || word == "False" { return .flag(word == "True") }
        if word.hasSuffix("L") { word.removeLast() }
        guard !word.isEmpty, word.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 == 45 }) else { return nil }
        return .whole(Int(word))
    }

    private mutating func string() -> Value? {
        let quote = text[at]
        guard let end = text[(at + 1)...].firstIndex(of: quote) else { return nil }
        defer { at = end + 1 }
        return .text(String(decoding: text[(at + 1)..<end], as: UTF8.self))
    }

    private mutating func sequence(closedBy end: Unicode.Scalar, depth: Int) -> Value? {
        at += 1
        var values: [Value] = []
        while !take(end) {
            guard let next = value(depth: depth + 1) else { return nil }
            values.append(next)
            if !take(",") {
                guard take(end) else { return nil }
                break
            }
        }
        return .sequence(values)
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < text.count, text[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < text.count, text[at] == 32 || (9...13).contains(text[at]) { at += 1 }
    }

    private func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
    }
}
