/// A 128-bit hash that is the same in every process: two FNV-1a hashes from different starts.
struct StableHash {
    private var a: UInt64 = 0xCBF2_9CE4_8422_2325, b: UInt64 = 0x6C62_272E_07BB_0142

    /// Adds bytes.
    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            a = (a ^ UInt64(byte)) &* 0x100_0000_01B3
            b = (b ^ UInt64(byte ^ 0x5A)) &* 0x100_0000_01B3
        }
    }

    /// Adds a text and its end, so that neighbours do not run together.
    mutating func add(_ text: String) {
        add(text.utf8)
        add(CollectionOfOne(0))
    }

    /// 32 hexadecimal digits.
    var text: String { Self.digits(a) + Self.digits(b) }

    /// The hash of some texts.
    static func of(_ texts: [String]) -> String {
        var hash = StableHash()
        for text in texts { hash.add(text) }
        return hash.text
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
