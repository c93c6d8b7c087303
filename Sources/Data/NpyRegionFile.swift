import CZlib
import Foundation

/// A `.npy` file of a stack of matrices `[planes, rows, columns]` whose blocks are read and written in any order, so
/// that it may be larger than memory. NumPy can map it at any time.
public final class NpyRegionFile {
    private let path: String
    private let descriptor: Int32
    private let offset: Int
    private let rows: Int, columns: Int, planes: Int, size: Int

    /// Creates the file with all its room on the disk, or opens it if it is there with the same header.
    ///
    /// - Parameters:
    ///   - shape: `[rows, columns]` or `[planes, rows, columns]`.
    ///   - isWide: float64 instead of float32.
    ///   - keeps: whether an existing file must have this header; otherwise it is replaced.
    ///   - readsOnly: whether the file must be there and is never written.
    public init(
        _ path: String, shape: [Int], isWide: Bool, keeps: Bool, readsOnly: Bool = false
    ) throws(DataError) {
        self.path = path
        (rows, columns, planes) = (
            shape[shape.count - 2], shape[shape.count - 1], shape.count > 2 ? shape[0] : 1
        )
        size = isWide ? 8 : 4
        let header = NpyHeader.encode(descr: isWide ? "<f8" : "<f4", shape: shape)
        offset = header.count
        descriptor = open(path, readsOnly ? O_RDONLY : O_RDWR | O_CREAT | (keeps ? 0 : O_TRUNC), 0o644)
        guard descriptor >= 0 else {
            throw DataError("cannot \(readsOnly ? "read" : "write") '\(path)'", code: errno)
        }
        // What throws from here on is closed by deinit: a second close could hit another thread's file.
        let total = offset + rows * columns * planes * size
        if keeps {
            var found = [UInt8](repeating: 0, count: header.count)
            let end = lseek(descriptor, 0, SEEK_END)
            guard end == total, pread(descriptor, &found, found.count, 0) == found.count, found == header
            else {
                throw DataError(
                    "'\(path)' is not the array \(shape) that its manifest names, or is truncated")
            }
        } else {
            // All room now: a full disk is found before the work, not after it.
            let code = posix_fallocate(descriptor, 0, off_t(total))
            guard code == 0 else {
                unlink(path)
                throw DataError("cannot write '\(path)' of \(total >> 20) MiB", code: code)
            }
            guard pwrite(descriptor, header, header.count, 0) == header.count else {
                throw DataError("cannot write '\(path)'", code: errno)
            }
        }
    }

    deinit { close(descriptor) }

    /// Writes elements of one row, the first of them in column `column`.
    public func write(_ plane: Int, _ row: Int, from column: Int, _ bytes: UnsafeRawBufferPointer)
        throws(DataError)
    {
        try put(bytes, at: place(plane, row, column..<column + bytes.count / size))
    }

    /// The block `[planes, rows, columns]`.
    public func read(_ rows: Range<Int>, _ columns: Range<Int>) throws(DataError) -> [UInt8] {
        let line = columns.count * size
        var bytes = [UInt8](repeating: 0, count: planes * rows.count * line)
        for plane in 0..<planes {
            for (index, row) in rows.enumerated() {
                let start = (plane * rows.count + index) * line
                let got = bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress! + start, line, off_t(place(plane, row, columns)))
                }
                guard got == line else {
                    throw DataError(
                        got < 0
                            ? "cannot read '\(path)': \(systemMessage(errno))" : "'\(path)' is truncated")
                }
            }
        }
        return bytes
    }

    /// Waits until everything written is on the disk.
    public func synchronize() throws(DataError) {
        guard fdatasync(descriptor) == 0 else { throw DataError("cannot write '\(path)'", code: errno) }
    }

    private func place(_ plane: Int, _ row: Int, _ columns: Range<Int>) -> Int {
        offset + ((plane * rows + row) * self.columns + columns.lowerBound) * size
    }

    private func put(_ bytes: UnsafeRawBufferPointer, at place: Int) throws(DataError) {
        var done = 0
        while done < bytes.count {
            let put = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(place + done))
            if put < 0 && errno != EINTR { throw DataError("cannot write '\(path)'", code: errno) }
            done += max(put, 0)
        }
    }
}

/// Numbers that tell whether bytes changed.
public enum Checksum {
    /// CRC-32 as in zlib; of bytes that follow others, if `crc` is the checksum of those.
    public static func crc32(_ bytes: UnsafeRawBufferPointer, after crc: UInt32 = 0) -> UInt32 {
        UInt32(crc32_z(UInt(crc), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }

    /// A digest of numbers by their bits: 64-bit FNV-1a over 8 bytes at a time (Fowler, Noll and Vo), in hexadecimal.
    public static func digest(_ values: some Sequence<Double>) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in values {
            hash = (hash ^ value.bitPattern) &* 0x0000_0100_0000_01b3
            hash ^= hash >> 29
        }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
