import Backend
import Foundation
import Planner

/// Where the tiles of a kernel go.
public protocol KernelSink: AnyObject {
    /// Whether a tile is there already: that of row block `i` and column block `j`.
    func has(_ i: Int, _ j: Int) throws -> Bool
    /// Takes tile (i, j) and, if the kernel is symmetric and the tile not on its diagonal, its transpose.
    func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) throws
}

/// A kernel in memory, in its own precision.
public final class KernelMemory: KernelSink {
    private let bytes: UnsafeMutableRawBufferPointer
    private let rows: Int, columns: Int, planes: Int
    private let precision: Precision

    /// Room for a kernel; throws if there is none.
    public init(rows: Int, columns: Int, planes: Int, _ precision: Precision) throws(BackendError) {
        (self.rows, self.columns, self.planes, self.precision) = (rows, columns, planes, precision)
        // Zeros that the system gives when they are first touched.
        let count = max(1, rows * columns * planes)
        guard let zeros = calloc(count, precision.bytes) else {
            throw BackendError(.outOfMemory, "a kernel of \(count) elements does not fit into memory")
        }
        bytes = UnsafeMutableRawBufferPointer(
            start: zeros, count: rows * columns * planes * precision.bytes)
    }

    deinit { free(bytes.baseAddress) }

    /// Elements `[planes, rows, columns]`.
    public var elements: [Double] {
        switch precision {
        case .float32: bytes.bindMemory(to: Float.self).map(Double.init)
        case .float64: Array(bytes.bindMemory(to: Double.self))
        }
    }

    /// Nothing is there before it is written.
    public func has(_ i: Int, _ j: Int) -> Bool { false }

    /// Puts a tile and its mirror image at their places.
    public func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) {
        put(tile)
        if let mirror { put(mirror) }
    }

    private func put(_ block: KernelBlock) {
        for plane in 0..<planes {
            for (index, row) in block.rows.enumerated() {
                let source = block.row(index, plane: plane)
                let first = ((plane * rows + row) * columns + block.columns.lowerBound) * precision.bytes
                UnsafeMutableRawBufferPointer(rebasing: bytes[first..<first + source.count])
                    .copyMemory(from: source)
            }
        }
    }
}

/// The diagonal of a kernel of samples with themselves, from diagonal tiles alone.
public final class KernelDiagonal: KernelSink {
    /// Elements `[planes, rows]`.
    public private(set) var elements: [Double]
    private let rows: Int, planes: Int
    private let precision: Precision

    /// Room for a diagonal.
    public init(rows: Int, planes: Int, _ precision: Precision) {
        (self.rows, self.planes, self.precision) = (rows, planes, precision)
        elements = [Double](repeating: 0, count: rows * planes)
    }

    /// All but diagonal tiles count as done.
    public func has(_ i: Int, _ j: Int) -> Bool { i != j }

    /// Takes the diagonal of a diagonal tile.
    public func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) {
        for plane in 0..<planes {
            let values = tile.doubles(plane: plane, precision)
            for (index, row) in tile.rows.enumerated() {
                elements[plane * rows + row] = values[index * tile.columns.count + index]
            }
        }
    }
}
