import Backend
import Planner

/// Where the tiles of a kernel go.
public protocol KernelSink: AnyObject {
    /// Whether a tile is there already: that of row block `i` and column block `j`.
    func has(_ i: Int, _ j: Int) throws -> Bool
    /// Takes the elements of tile (i, j), `[planes, rows, columns]`, at its place in the kernel; if `isMirrored`, its
    /// transpose too. They have the kernel's precision.
    func write(
        _ i: Int, _ j: Int, rows: Range<Int>, columns: Range<Int>, isMirrored: Bool,
        _ elements: UnsafeRawBufferPointer
    ) throws
}

/// A kernel in memory.
public final class KernelMemory: KernelSink {
    /// Elements `[planes, rows, columns]`.
    public private(set) var elements: [Double]
    private let rows: Int, columns: Int, planes: Int
    private let precision: Precision

    /// Room for a kernel.
    public init(rows: Int, columns: Int, planes: Int, _ precision: Precision) {
        (self.rows, self.columns, self.planes, self.precision) = (rows, columns, planes, precision)
        elements = [Double](repeating: 0, count: rows * columns * planes)
    }

    /// Nothing is there before it is written.
    public func has(_ i: Int, _ j: Int) -> Bool { false }

    /// Puts a tile at its place.
    public func write(
        _ i: Int, _ j: Int, rows: Range<Int>, columns: Range<Int>, isMirrored: Bool,
        _ elements: UnsafeRawBufferPointer
    ) {
        switch precision {
        case .float32: put(elements.bindMemory(to: Float.self), rows, columns, isMirrored)
        case .float64: put(elements.bindMemory(to: Double.self), rows, columns, isMirrored)
        }
    }

    private func put<Number: BinaryFloatingPoint>(
        _ tile: UnsafeBufferPointer<Number>, _ rows: Range<Int>, _ columns: Range<Int>, _ isMirrored: Bool
    ) {
        var source = 0
        for plane in 0..<planes {
            let base = plane * self.rows * self.columns
            for row in rows {
                for column in columns {
                    elements[base + row * self.columns + column] = Double(tile[source])
                    if isMirrored { elements[base + column * self.columns + row] = Double(tile[source]) }
                    source += 1
                }
            }
        }
    }
}
