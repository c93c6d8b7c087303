import Testing

@testable import Data

@Suite struct GzipTests {
    static let text = Array("landscape landscape landscape\n".utf8)
    static let packed = "H4sIAAAAAAACA8tJzEspTk4sSFXIwWRxAQAYWtrzHgAAAA=="

    @Test func unpacks() throws {
        let bytes = try base64(Self.packed)
        #expect(try Gzip.decompress(bytes, name: "a.gz") == Self.text)
        #expect(try Gzip.decompress(bytes + bytes, name: "a.gz") == Self.text + Self.text)
        #expect(try Gzip.decompress(bytes + [0, 0, 0], name: "a.gz") == Self.text)
    }

    @Test func everyTruncation() throws {
        let bytes = try base64(Self.packed)
        for length in 2..<bytes.count {
            expectError("a.gz", "truncated") { try Gzip.decompress(Array(bytes[..<length]), name: "a.gz") }
            expectError("a.gz", "truncated") {
                try Gzip.decompress(bytes + Array(bytes[..<length]), name: "a.gz")
            }
        }
        expectError("not a gzip file") { try Gzip.decompress([], name: "a.gz") }
    }

    /// Bytes 3 to 9 hold flags, time and system, the last packed byte padding; any other flip is noticed.
    @Test func everyFlippedBit() throws {
        let bytes = try base64(Self.packed)
        for at in bytes.indices where !(3..<10).contains(at) && at != bytes.count - 9 {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[at] ^= 1 << bit
                expectError("a.gz") { try Gzip.decompress(damaged, name: "a.gz") }
            }
        }
    }

    @Test func garbageAtTheEnd() throws {
        let bytes = try base64(Self.packed)
        expectError("a.gz", "corrupt", "3 unknown bytes") {
            try Gzip.decompress(bytes + [1, 2, 3], name: "a.gz")
        }
    }
}
