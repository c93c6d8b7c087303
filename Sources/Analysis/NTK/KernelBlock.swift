import Planner

/// A rectangle of a kernel on the host, on its way to a sink: elements `[planes, rows, columns]` in the kernel's
/// precision, perhaps cut out of larger planes.
public struct KernelBlock {
    /// Its place in the kernel.
    public let rows: Range<Int>, columns: Range<Int>
    /// Matrices one after the other.
    public let planes: Int
    private let bytes: UnsafeRawBufferPointer
    private let size: Int
    /// Elements between rows and between planes, and where the first element is.
    private let rowStride: Int, planeStride: Int, start: Int

    /// A block whose elements of `size` bytes lie one after the other.
    public init(
        _ bytes: UnsafeRawBufferPointer, rows: Range<Int>, columns: Range<Int>, planes: Int, size: Int
    ) {
        self.init(
            bytes, of: (rows.count, columns.count), skip: (0, 0), rows: rows, columns: columns,
            planes: planes,
            size: size)
    }

    /// The last rows and columns, after `skip` of each, of planes of shape `whole`.
    init(
        _ bytes: UnsafeRawBufferPointer, of whole: (rows: Int, columns: Int), skip: (rows: Int, columns: Int),
        rows: Range<Int>, columns: Range<Int>, planes: Int, size: Int
    ) {
        precondition(
            bytes.count == planes * whole.rows * whole.columns * size
                && rows.count + skip.rows == whole.rows && columns.count + skip.columns == whole.columns,
            "\(bytes.count) bytes for \(planes) planes \(whole), of which \(rows) and \(columns) are taken")
        (self.bytes, self.rows, self.columns, self.planes, self.size) = (bytes, rows, columns, planes, size)
        rowStride = whole.columns
        planeStride = whole.rows * whole.columns
        start = skip.rows * whole.columns + skip.columns
    }

    /// The bytes of a row, counted from the block's first.
    func row(_ row: Int, plane: Int) -> UnsafeRawBufferPointer {
        let first = (plane * planeStride + row * rowStride + start) * size
        return UnsafeRawBufferPointer(rebasing: bytes[first..<first + columns.count * size])
    }

    /// The elements of a plane `[rows, columns]` of this precision.
    func doubles(plane: Int, _ precision: Precision) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(rows.count * columns.count)
        for row in rows.indices {
            let bytes = self.row(row - rows.lowerBound, plane: plane)
            switch precision {
            case .float32: values += bytes.bindMemory(to: Float.self).lazy.map(Double.init)
            case .float64: values += bytes.bindMemory(to: Double.self)
            }
        }
        return values
    }

    /// The first element that is not a finite number, with its place in the kernel.
    func firstNonFinite(_ precision: Precision) -> (row: Int, column: Int, value: Double)? {
        func first<Number: BinaryFloatingPoint>(_: Number.Type) -> (row: Int, column: Int, value: Double)? {
            for plane in 0..<planes {
                for row in 0..<rows.count {
                    let values = self.row(row, plane: plane).bindMemory(to: Number.self)
                    // A number less itself is zero, unless it is not finite.
                    var sum: Number = 0
                    for value in values { sum += value - value }
                    guard sum != 0, let place = values.firstIndex(where: { !$0.isFinite }) else { continue }
                    return (
                        rows.lowerBound + row, columns.lowerBound + place, Double(values[place])
                    )
                }
            }
            return nil
        }
        return precision == .float32 ? first(Float.self) : first(Double.self)
    }
}
