/// A `.npy` file written from its first value to its last, which appears under its name complete or not at all.
public struct NpyStream: ~Copyable {
    private var file: AtomicFile
    private let path: String
    private let isWide: Bool
    private var left: Int

    /// Starts an array of `shape` in float32, or in float64 if `isWide`. Throws as `AtomicFile` does.
    public init(replacing path: String, shape: [Int], isWide: Bool) throws(DataError) {
        guard let count = elementCount(shape, size: isWide ? 8 : 4) else {
            throw DataError("cannot write '\(path)': an array \(shape) is too large for this machine")
        }
        file = try Self.begin(path, NpyHeader.encode(descr: isWide ? "<f8" : "<f4", shape: shape))
        (self.path, self.isWide, left) = (path, isWide, count)
    }

    private static func begin(_ path: String, _ header: [UInt8]) throws(DataError) -> AtomicFile {
        var file = try AtomicFile(replacing: path)
        try file.write(header)
        return file
    }

    /// Appends values in row-major order, rounded to the array's format. Throws if the disk is full or fails.
    public mutating func write(_ values: [Double]) throws(DataError) {
        precondition(values.count <= left, "\(values.count) values where \(left) are left of '\(path)'")
        left -= values.count
        if isWide {
            try file.write(values.span.bytes)
        } else {
            let narrow = values.map { Float($0) }
            try file.write(narrow.span.bytes)
        }
    }

    /// Puts the file in its place, after all values. Call it once, last.
    public mutating func commit() throws(DataError) {
        precondition(left == 0, "'\(path)' lacks \(left) values")
        try file.commit()
    }
}
