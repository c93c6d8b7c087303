import Foundation

/// A `.npy` file of a matrix `[rows, columns]`, or a stack of them `[planes, rows, columns]`, mapped into memory: only the rows
/// that are looked at are read. Little-endian float32 or float64 in C order, as `landscape ntk` writes kernels.
public final class MappedMatrix {
    /// The file.
    public let path: String
    /// Shape of the array.
    public let shape: [Int]
    /// Whether elements are float64, else float32.
    public let isWide: Bool
    private let base: UnsafeMutableRawPointer
    private let size: Int, offset: Int

    /// Maps a file. Throws if it cannot be read, is damaged or truncated, or holds something else than such matrices.
    public init(_ path: String) throws(DataError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError("cannot open '\(path)'", code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DataError("cannot read '\(path)'", code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DataError("cannot read '\(path)': it is no file, expected a matrix as .npy")
        }
        var head = [UInt8](repeating: 0, count: min(Int(status.st_size), 1 << 17))
        let got = pread(descriptor, &head, head.count, 0)
        guard got == head.count else { throw DataError("cannot read '\(path)'", code: errno) }
        let header = try NpyHeader(head, name: path)
        shape = header.shape
        guard shape.count == 2 || shape.count == 3 else {
            throw DataError("\(path): shape \(shape), expected a matrix [N, M] or a stack of them [O, N, M]")
        }
        guard header.kind == .float32 || header.kind == .float64, !header.bigEndian, !header.fortranOrder
        else {
            throw DataError(
                "\(path): \(header.kind)\(header.bigEndian ? ", big-endian" : "")"
                    + "\(header.fortranOrder ? ", Fortran order" : ""); expected little-endian float32 or float64 in C order"
            )
        }
        isWide = header.kind == .float64
        offset = header.dataOffset
        guard let count = elementCount(shape, size: isWide ? 8 : 4),
            Int(status.st_size) == offset + count * (isWide ? 8 : 4)
        else {
            throw DataError(
                "\(path): truncated or damaged: \(status.st_size) bytes do not hold shape \(shape)")
        }
        size = Int(status.st_size)
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw DataError("cannot map '\(path)' into memory", code: errno)
        }
        base = mapped
    }

    deinit { munmap(base, size) }

    /// Matrices one after the other, and the rows and columns of each.
    public var planes: Int { shape.count == 3 ? shape[0] : 1 }
    /// Rows of a matrix.
    public var rows: Int { shape[shape.count - 2] }
    /// Columns of a matrix.
    public var columns: Int { shape[shape.count - 1] }
    /// Bytes of an element.
    public var precisionBytes: Int { isWide ? 8 : 4 }

    /// The bytes of some rows of a matrix; they live as long as this object.
    public func rows(_ range: Range<Int>, plane: Int = 0) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        let line = columns * precisionBytes
        return UnsafeRawBufferPointer(
            start: base + offset + (plane * rows + range.lowerBound) * line, count: range.count * line)
    }

    /// One element of a matrix.
    public func element(_ row: Int, _ column: Int, plane: Int = 0) -> Double {
        let bytes = rows(row..<row + 1, plane: plane)
        return isWide
            ? bytes.bindMemory(to: Double.self)[column] : Double(bytes.bindMemory(to: Float.self)[column])
    }

    /// The elements of some rows of a matrix, row-major.
    public func doubles(_ range: Range<Int>, plane: Int = 0) -> [Double] {
        let bytes = rows(range, plane: plane)
        return isWide
            ? Array(bytes.bindMemory(to: Double.self)) : bytes.bindMemory(to: Float.self).map(Double.init)
    }

    /// Throws if an element of these rows is not finite; the message names it.
    public func checkFinite(_ range: Range<Int>, plane: Int = 0) throws(DataError) {
        let bytes = rows(range, plane: plane)
        let bad =
            isWide
            ? bytes.bindMemory(to: Double.self).firstIndex { !$0.isFinite }
            : bytes.bindMemory(to: Float.self).firstIndex { !$0.isFinite }
        guard let bad else { return }
        throw DataError(
            "\(path): row \(range.lowerBound + bad / columns), column \(bad % columns)"
                + "\(shape.count == 3 ? " of matrix \(plane)" : "") is not finite")
    }
}
