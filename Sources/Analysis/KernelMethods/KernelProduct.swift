import Backend
import Data
import Planner

/// `K(x, X)·A` in float64 while the kernel's tiles come, so that the kernel itself is kept nowhere.
public final class KernelProduct: KernelSink {
    /// The product of every system, `[rows, columns]` row-major.
    public private(set) var values: [[Double]]
    private let factors: [[Double]]
    private let columns: Int, inner: Int
    private let precision: Precision

    /// A product with one factor `[n, columns]` for every system.
    ///
    /// - Parameters:
    ///   - rows: rows of the kernel.
    ///   - precision: format of the tiles.
    public init(rows: Int, factors: [[Double]], columns: Int, _ precision: Precision) {
        (self.factors, self.columns, self.precision) = (factors, columns, precision)
        inner = columns > 0 ? (factors.first?.count ?? 0) / columns : 0
        values = factors.map { _ in [Double](repeating: 0, count: rows * columns) }
    }

    /// Nothing is kept that would be found again.
    public func has(_ i: Int, _ j: Int) -> Bool { false }

    /// Takes in a tile. Kernels of two sets of samples have no mirrored tiles.
    public func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) {
        precondition(mirror == nil, "a mirrored tile of a kernel of two sets of samples")
        for plane in factors.indices {
            add(plane, tile.rows, tile.columns, tile.doubles(plane: plane, precision))
        }
    }

    /// Takes in rows of a finished kernel `[N, M]`, all systems of it. Throws if an entry is not finite.
    public func take(_ file: MappedMatrix) throws(DataError) {
        precondition(file.columns == inner && file.planes == factors.count, "a kernel of another shape")
        let panel = max(1, (32 << 20) / max(1, file.columns * file.precisionBytes))
        for plane in factors.indices {
            for start in stride(from: 0, to: file.rows, by: panel) {
                let rows = start..<min(file.rows, start + panel)
                try file.checkFinite(rows, plane: plane)
                add(plane, rows, 0..<file.columns, file.doubles(rows, plane: plane))
            }
        }
    }

    private func add(_ plane: Int, _ rows: Range<Int>, _ inner: Range<Int>, _ tile: [Double]) {
        let part = Array(factors[plane][inner.lowerBound * columns..<inner.upperBound * columns])
        let product = HostLinearAlgebra.product(tile, part, rows.count, inner.count, columns)
        let start = rows.lowerBound * columns
        for index in product.indices { values[plane][start + index] += product[index] }
    }
}
