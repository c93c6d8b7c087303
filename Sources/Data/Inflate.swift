import CZlib

/// How a deflated stream can fail to unpack.
enum InflateFailure: Error {
    /// The input ends before the stream does.
    case truncated
    /// The stream contradicts itself; the text is zlib's.
    case corrupt(String)
    /// More output than was announced.
    case tooLong
}

/// Unpacks the one stream that begins at `range.lowerBound`, appends it to `output`, and returns where it
/// ends.
///
/// `windowBits` as for zlib's `inflateInit2`: -15 for bare deflate, 31 for a gzip member. At most `limit`
/// bytes.
func inflate(
    _ bytes: [UInt8], in range: Range<Int>, windowBits: Int32, limit: Int = .max, into output: inout [UInt8]
) throws(InflateFailure) -> Int {
    // zlib remembers the address of its state, so it must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
        throw .corrupt("zlib cannot start")
    }
    defer { inflateEnd(stream) }

    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var next = range.lowerBound
    let start = output.count
    while true {
        let offered = min(range.upperBound - next, 1 << 30)
        let status = bytes.withUnsafeBufferPointer { input in
            chunk.withUnsafeMutableBufferPointer { room in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress).map { $0 + next }
                stream.pointee.avail_in = UInt32(offered)
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(room.count)
                return CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        next += offered - Int(stream.pointee.avail_in)
        let made = chunk.count - Int(stream.pointee.avail_out)
        if made > limit - (output.count - start) { throw .tooLong }
        output += chunk[..<made]
        switch status {
        case Z_STREAM_END: return next
        case Z_OK, Z_BUF_ERROR:
            // No progress without more input.
            if next == range.upperBound && made == 0 { throw .truncated }
        default:
            throw .corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)")
        }
    }
}

/// The CRC-32 of `bytes`, as zip and gzip use it.
func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, $0.count)) }
}
