import Data
import Foundation

/// Vectors one after the other in a file, each of the same number of bytes.
final class BasisFile {
    let path: String
    private let descriptor: Int32
    private let rowBytes: Int

    /// Opens the file at `path`, or creates it.
    init(_ path: String, rowBytes: Int) throws(DataError) {
        (self.path, self.rowBytes) = (path, rowBytes)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot write '\(path)'") }
    }

    /// A file in a folder that nobody else sees and that is gone with the last reference.
    init(temporaryIn folder: String, rowBytes: Int) throws(DataError) {
        self.rowBytes = rowBytes
        var template = Array("\(folder)/landscape-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else { throw Self.failure("cannot write a temporary file in '\(folder)'") }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Whole vectors in the file.
    var rows: Int { max(0, Int(lseek(descriptor, 0, SEEK_END))) / rowBytes }

    /// Writes one vector.
    func write(_ row: Int, _ bytes: UnsafeRawBufferPointer) throws(DataError) {
        var done = 0
        while done < bytes.count {
            let put = pwrite(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(row * rowBytes + done))
            if put < 0 && errno != EINTR { throw Self.failure("cannot write '\(path)'") }
            done += max(put, 0)
        }
    }

    /// Reads vectors from `row` on, as many as `bytes` has room for.
    func read(_ row: Int, into bytes: UnsafeMutableRawBufferPointer) throws(DataError) {
        var done = 0
        while done < bytes.count {
            let got = pread(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(row * rowBytes + done))
            if got == 0 { throw DataError("'\(path)' is truncated") }
            if got < 0 && errno != EINTR { throw Self.failure("cannot read '\(path)'") }
            done += max(got, 0)
        }
    }

    /// Checksum of one vector.
    func checksum(_ row: Int) throws(DataError) -> UInt32 {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rowBytes, alignment: 64)
        defer { bytes.deallocate() }
        try read(row, into: bytes)
        return Checksum.crc32(UnsafeRawBufferPointer(bytes))
    }

    /// Drops all vectors from `rows` on.
    func truncate(_ rows: Int) throws(DataError) {
        guard ftruncate(descriptor, off_t(rows * rowBytes)) == 0 else {
            throw Self.failure("cannot write '\(path)'")
        }
    }

    private static func failure(_ text: String) -> DataError {
        DataError("\(text): \(String(cString: strerror(errno)))")
    }
}
