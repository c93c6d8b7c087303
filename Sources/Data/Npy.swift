/// NumPy's `.npy` files, format versions 1.0 to 3.0.
///
/// Read: bool, int8 to int64, uint8 to uint32, float16 to float64, either byte order, C or Fortran order.
/// Single and double precision and uint8 keep their type, float16 becomes float32, the rest int64. Written:
/// what `numpy.save` writes for a C-ordered array, byte for byte.
public enum Npy {
    /// The array in the file at `path`.
    ///
    /// Throws if the file cannot be read, is damaged, has bytes missing or left over, or holds another type.
    public static func read(_ path: String) throws(DataError) -> NDArray {
        try decode(try readBytes(path), name: path)
    }

    /// The array in the `bytes` of a `.npy` file; `name` stands for it in errors. Throws as `read` does.
    public static func decode(_ bytes: [UInt8], name: String) throws(DataError) -> NDArray {
        let header = try NpyHeader(bytes, name: name)
        let found = bytes.count - header.dataOffset
        guard let count = elementCount(header.shape, size: header.kind.size) else {
            throw DataError(
                "\(name): the shape \(header.shape) in the .npy header is too large for this machine")
        }
        let expected = count * header.kind.size
        guard found == expected else {
            let what = found < expected ? "truncated" : "bytes left over at the end"
            throw DataError(
                "\(name): \(what): shape \(header.shape) of \(header.kind) takes \(expected) bytes,"
                    + " found \(found)"
            )
        }
        let storage = decodeNumbers(
            bytes, at: header.dataOffset, count: count, kind: header.kind, bigEndian: header.bigEndian)
        if header.fortranOrder && header.shape.count > 1 {
            return NDArray(shape: header.shape, storage: rowMajor(storage, shape: header.shape))
        }
        return NDArray(shape: header.shape, storage: storage)
    }

    /// The bytes of a `.npy` file that holds `array`.
    public static func encode(_ array: NDArray) -> [UInt8] {
        let bytes = header(of: array)
        return switch array.storage {
        case .float32(let values): values.withUnsafeBytes { bytes + $0 }
        case .float64(let values): values.withUnsafeBytes { bytes + $0 }
        case .int64(let values): values.withUnsafeBytes { bytes + $0 }
        case .uint8(let values): bytes + values
        }
    }

    /// Writes `array` to the file at `path`, complete or not at all; throws as `AtomicFile` does.
    public static func write(_ array: NDArray, to path: String) throws(DataError) {
        var file = try AtomicFile(replacing: path)
        try file.write(header(of: array))
        switch array.storage {
        case .float32(let values): try file.write(values.span.bytes)
        case .float64(let values): try file.write(values.span.bytes)
        case .int64(let values): try file.write(values.span.bytes)
        case .uint8(let values): try file.write(values)
        }
        try file.commit()
    }

    private static func header(of array: NDArray) -> [UInt8] {
        let order = 1.littleEndian == 1 ? "<" : ">"
        let descr =
            switch array.storage {
            case .float32: order + "f4"
            case .float64: order + "f8"
            case .int64: order + "i8"
            case .uint8: "|u1"
            }
        return NpyHeader.encode(descr: descr, shape: array.shape)
    }

    private static func rowMajor(_ storage: NDArray.Storage, shape: [Int]) -> NDArray.Storage {
        switch storage {
        case .float32(let values): .float32(rowMajor(values, shape: shape))
        case .float64(let values): .float64(rowMajor(values, shape: shape))
        case .int64(let values): .int64(rowMajor(values, shape: shape))
        case .uint8(let values): .uint8(rowMajor(values, shape: shape))
        }
    }

    /// Reorders values whose first axis runs fastest so that the last one does.
    private static func rowMajor<T>(_ values: [T], shape: [Int]) -> [T] {
        var strides: [Int] = []
        var stride = 1
        for extent in shape {
            strides.append(stride)
            stride = values.isEmpty ? 0 : stride * extent
        }
        var index = [Int](repeating: 0, count: shape.count)
        var source = 0
        var result: [T] = []
        result.reserveCapacity(values.count)
        while result.count < values.count {
            result.append(values[source])
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                source += strides[axis]
                if index[axis] < shape[axis] { break }
                source -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return result
    }
}
