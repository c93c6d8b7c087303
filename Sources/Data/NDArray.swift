/// An array of numbers on the host: a shape and its values, row-major.
public struct NDArray: Sendable, Equatable {
    /// The values, in the type in which they are kept.
    public enum Storage: Sendable, Equatable {
        /// Single precision.
        case float32([Float])
        /// Double precision.
        case float64([Double])
        /// Whole numbers, 64-bit.
        case int64([Int64])
        /// Bytes, mostly pixels.
        case uint8([UInt8])

        /// The number of values.
        public var count: Int {
            switch self {
            case .float32(let values): values.count
            case .float64(let values): values.count
            case .int64(let values): values.count
            case .uint8(let values): values.count
            }
        }
    }

    /// The size along every axis, first axis outermost; empty for a single number.
    public let shape: [Int]
    /// The values, last axis fastest.
    public let storage: Storage

    /// An array of `shape` over `storage`, whose count must be the product of the shape.
    public init(shape: [Int], storage: Storage) {
        precondition(
            shape.allSatisfy { $0 >= 0 } && elementCount(shape, size: 1) == storage.count,
            "NDArray: shape \(shape) does not fit \(storage.count) values")
        self.shape = shape
        self.storage = storage
    }

    /// A single-precision array; the count of `values` must be the product of the shape.
    public init(shape: [Int], floats values: [Float]) {
        self.init(shape: shape, storage: .float32(values))
    }

    /// A double-precision array; the count of `values` must be the product of the shape.
    public init(shape: [Int], doubles values: [Double]) {
        self.init(shape: shape, storage: .float64(values))
    }

    /// A 64-bit whole-number array; the count of `values` must be the product of the shape.
    public init(shape: [Int], integers values: [Int]) {
        self.init(shape: shape, storage: .int64(values.map { Int64($0) }))
    }

    /// The number of values, the product of the shape.
    public var count: Int { storage.count }

    /// The values in double precision, row-major.
    public var doubles: [Double] {
        switch storage {
        case .float32(let values): values.map { Double($0) }
        case .float64(let values): values
        case .int64(let values): values.map { Double($0) }
        case .uint8(let values): values.map { Double($0) }
        }
    }

    /// The values in single precision, rounded to nearest, row-major.
    public var floats: [Float] {
        switch storage {
        case .float32(let values): values
        case .float64(let values): values.map { Float($0) }
        case .int64(let values): values.map { Float($0) }
        case .uint8(let values): values.map { Float($0) }
        }
    }

    /// The values as whole numbers, row-major; nil if one of them is not whole or too large.
    public var integers: [Int]? {
        switch storage {
        case .float32(let values): Self.whole(values) { Int(exactly: $0) }
        case .float64(let values): Self.whole(values) { Int(exactly: $0) }
        case .int64(let values): values.map { Int($0) }
        case .uint8(let values): values.map { Int($0) }
        }
    }

    /// The flat index of the first value that is NaN or infinite; nil if there is none.
    public var firstNonFinite: Int? {
        switch storage {
        case .float32(let values): values.firstIndex { !$0.isFinite }
        case .float64(let values): values.firstIndex { !$0.isFinite }
        case .int64, .uint8: nil
        }
    }

    private static func whole<T>(_ values: [T], _ convert: (T) -> Int?) -> [Int]? {
        var result: [Int] = []
        result.reserveCapacity(values.count)
        for value in values {
            guard let whole = convert(value) else { return nil }
            result.append(whole)
        }
        return result
    }
}

// MARK: - Rows and shapes

extension NDArray {
    /// The number of values in one row, that is of one index along the first axis.
    var rowCount: Int { shape[0] == 0 ? 0 : count / shape[0] }

    /// The rows `range` along the first axis, `[range.count, ...]`.
    public func rows(_ range: Range<Int>) -> NDArray {
        precondition(!shape.isEmpty, "rows of a single number")
        precondition(
            range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) of an array of shape \(shape)")
        let part = range.lowerBound * rowCount..<range.upperBound * rowCount
        let storage: Storage =
            switch storage {
            case .float32(let values): .float32(Array(values[part]))
            case .float64(let values): .float64(Array(values[part]))
            case .int64(let values): .int64(Array(values[part]))
            case .uint8(let values): .uint8(Array(values[part]))
            }
        return NDArray(shape: [range.count] + shape.dropFirst(), storage: storage)
    }

    /// The rows at `indices` along the first axis, in that order, `[indices.count, ...]`.
    public func rows(at indices: [Int]) -> NDArray {
        precondition(!shape.isEmpty, "rows of a single number")
        let n = shape[0]
        precondition(
            indices.allSatisfy { $0 >= 0 && $0 < n }, "row indices must lie in 0..<\(n), shape \(shape)")
        let storage: Storage =
            switch storage {
            case .float32(let values): .float32(gather(values, indices))
            case .float64(let values): .float64(gather(values, indices))
            case .int64(let values): .int64(gather(values, indices))
            case .uint8(let values): .uint8(gather(values, indices))
            }
        return NDArray(shape: [indices.count] + shape.dropFirst(), storage: storage)
    }

    /// The same values under another shape of the same count.
    public func reshaped(_ shape: [Int]) -> NDArray {
        NDArray(shape: shape, storage: storage)
    }

    /// Bytes become single precision in [0, 1] (value/255), whole numbers single precision; the rest stays.
    public var scaledPixels: NDArray {
        switch storage {
        case .uint8(let values):
            let levels = (0..<256).map { Float($0) / 255 }
            return NDArray(shape: shape, floats: values.map { levels[Int($0)] })
        case .int64: return NDArray(shape: shape, floats: floats)
        case .float32, .float64: return self
        }
    }

    private func gather<T>(_ values: [T], _ indices: [Int]) -> [T] {
        let row = rowCount
        var result: [T] = []
        result.reserveCapacity(indices.count * row)
        for index in indices { result += values[index * row..<(index + 1) * row] }
        return result
    }
}
