import Testing

@testable import Data

@Suite struct NpzTests {
    /// Made by `numpy.savez_compressed(f, x=numpy.zeros((2, 3), 'f4'), y=numpy.array([1, 0]))`.
    static let compressed =
        "UEsDBC0AAAAIAAAAIQB4syYY//////////8FABQAeC5ucHkBABAAmAAAAAAAAABJAAAAAAAAAJvsF+obEMnIUMZQrZ"
        + "6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYcAABQSwMELQAA"
        + "AAgAAAAhAHH7Oav//////////wUAFAB5Lm5weQEAEACQAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbq"
        + "WgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALkYGVAAAUEsBAi0DLQAAAAgAAAAh"
        + "AHizJhhJAAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhAHH7OatIAAAAkAAAAAUAAA"
        + "AAAAAAAAAAAIABgAAAAHkubnB5UEsFBgAAAAACAAIAZgAAAP8AAAAAAA=="

    static let content = Npz([
        .init(name: "x", array: NDArray(shape: [2, 3], floats: [0, 0, 0, 0, 0, 0])),
        .init(name: "y", array: NDArray(shape: [2], integers: [1, 0])),
    ])

    @Test func readsNumPysCompressedArchive() throws {
        let archive = try Npz.decode(try base64(Self.compressed), name: "c.npz")
        #expect(archive == Self.content)
        #expect(archive["y"]?.integers == [1, 0])
        #expect(archive["z"] == nil)
        #expect(try Npz.decode(try base64(Self.compressed), name: "c.npz", only: ["y"]).entries.count == 1)
    }

    @Test func roundTrip() throws {
        try withFolder { folder in
            let path = folder + "/a.npz"
            try Self.content.write(to: path)
            #expect(try Npz.read(path) == Self.content)
            try Npz().write(to: path)
            expectError("not a zip") { try Npz.decode([1, 2, 3], name: "n.npz") }
        }
    }

    @Test func everyTruncation() throws {
        let bytes = try base64(Self.compressed)
        for length in 0..<bytes.count {
            expectError("t.npz") { try Npz.decode(Array(bytes[..<length]), name: "t.npz") }
        }
    }

    /// A flipped bit is an error or, in a field that we do not need, changes no value.
    @Test func flippedBytes() throws {
        let stored = try withStored()
        for bytes in [try base64(Self.compressed), stored] {
            for at in bytes.indices {
                for bit in 0..<8 {
                    var damaged = bytes
                    damaged[at] ^= 1 << bit
                    guard let archive = try? Npz.decode(damaged, name: "t.npz") else { continue }
                    for entry in archive.entries {
                        #expect(
                            Self.content.entries.contains { $0.array == entry.array },
                            "byte \(at), bit \(bit)")
                    }
                }
            }
        }
    }

    @Test func checksumMismatch() throws {
        var bytes = try withStored()
        // The last value of x: 30 bytes of header, 5 of name, 128 of .npy header, 24 of values.
        bytes[30 + 5 + 128 + 23] ^= 1
        expectError("t.npz", "'x.npy'", "CRC-32") { try Npz.decode(bytes, name: "t.npz") }
    }

    /// A directory whose sizes and offset stand in the zip64 extra field, and a zip64 end record.
    @Test func zip64() throws {
        let plain = try withStored()
        let end = plain.count - 22
        let directory = try #require(plain.littleEndian(at: end + 16, size: 4))
        var bytes = Array(plain[..<directory])
        var at = directory
        for _ in 0..<2 {
            var record = Array(plain[at..<at + 46 + 5])
            let size = try #require(plain.littleEndian(at: at + 24, size: 4))
            let offset = try #require(plain.littleEndian(at: at + 42, size: 4))
            for field in [20, 24, 42] {
                record.replaceSubrange(field..<field + 4, with: [255, 255, 255, 255])
            }
            record[30] = 34
            // A foreign extra field of two bytes comes first.
            record += [0x99, 0x99, 2, 0, 7, 7, 1, 0, 24, 0]
            for value in [size, size, offset] { record.appendLittleEndian(value, size: 8) }
            bytes += record
            at += 46 + 5
        }
        let largeEnd = bytes.count
        bytes += [0x50, 0x4B, 6, 6] + [UInt8](repeating: 0, count: 28)
        bytes.appendLittleEndian(2, size: 8)
        bytes.appendLittleEndian(0, size: 8)
        bytes.appendLittleEndian(directory, size: 8)
        bytes += [0x50, 0x4B, 6, 7, 0, 0, 0, 0]
        bytes.appendLittleEndian(largeEnd, size: 8)
        bytes += [1, 0, 0, 0, 0x50, 0x4B, 5, 6, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 12) + [0, 0]
        #expect(try Npz.decode(bytes, name: "z.npz") == Self.content)
    }

    @Test func otherMembers() throws {
        var bytes = try withStored()
        let end = bytes.count - 22
        let directory = try #require(bytes.littleEndian(at: end + 16, size: 4))
        bytes[directory + 46] = UInt8(ascii: "y")
        expectError("two members") { try Npz.decode(bytes, name: "t.npz") }
        bytes[directory + 46 + 4] = UInt8(ascii: "z")
        #expect(try Npz.decode(bytes, name: "t.npz").entries.map(\.name) == ["y"])
        bytes[directory + 8] = 1
        expectError("encrypted") { try Npz.decode(bytes, name: "t.npz") }
        bytes[directory + 8] = 0
        bytes[directory + 46 + 4] = UInt8(ascii: "y")
        bytes[directory + 46] = UInt8(ascii: "x")
        bytes[directory + 10] = 12
        expectError("method 12") { try Npz.decode(bytes, name: "t.npz") }
    }

    private func withStored() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try withFolder { folder in
            try Self.content.write(to: folder + "/s.npz")
            bytes = try readBytes(folder + "/s.npz")
        }
        return bytes
    }
}
