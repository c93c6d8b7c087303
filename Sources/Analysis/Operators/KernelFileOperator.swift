import Backend
import Data
import Graph
import Planner

/// A symmetric kernel in a `.npy` file as an operator: panels of its rows go to the device one after the other, or stay there
/// if memory allows. The file may be larger than memory.
public final class KernelFileOperator: LinearOperator {
    /// Rows of the kernel.
    public let dimension: Int
    /// Where vectors live.
    public let space: VectorSpace
    /// Rows of a panel.
    public let panelRows: Int
    /// Whether the whole kernel stays on the device.
    public var isResident: Bool { panelRows == dimension }

    private let file: MappedMatrix, plane: Int
    private let panel: DeviceArray
    private var isLoaded = false
    private var products: [Int: any Executable] = [:]
    private var stacks: [Int: (vectors: DeviceArray, results: DeviceArray)] = [:]

    /// A kernel `[n, n]`, or one of a stack of them.
    ///
    /// - Parameters:
    ///   - memory: bytes of the device that a panel may take; at least one row is held.
    /// - Throws: `DataError` if an entry is not finite, `BackendError` if there is no memory.
    public init(
        _ file: MappedMatrix, plane: Int = 0, memory: Int, on backend: any Backend, _ precision: Precision
    ) throws {
        precondition(file.rows == file.columns, "an operator of shape \(file.shape)")
        (self.file, self.plane, dimension) = (file, plane, file.rows)
        space = VectorSpace(dimension, on: backend, precision)
        panelRows = max(1, min(dimension, memory / max(1, dimension * precision.bytes)))
        panel = try backend.allocate(panelRows * dimension, precision)
        for rows in Self.ranges(dimension, panelRows) { try file.checkFinite(rows, plane: plane) }
    }

    /// As many as share one pass over the file.
    public var blockSize: Int { 8 }

    /// `result = K·vector`.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        let program = try product(1)
        for rows in Self.ranges(dimension, panelRows) {
            try load(rows)
            try program.run(inputs: [panel.all, vector], outputs: [result[rows]])
        }
    }

    /// `results[j] = K·vectors[j]`, every panel read once for up to `blockSize` vectors.
    public func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        for first in stride(from: 0, to: vectors.count, by: blockSize) {
            let count = min(blockSize, vectors.count - first)
            if count == 1 {
                try apply(vectors[first], into: results[first])
                continue
            }
            let program = try product(count), stack = try stack(count)
            for index in 0..<count {
                try space.backend.copy(vectors[first + index], to: space.row(index, of: stack.vectors))
            }
            for rows in Self.ranges(dimension, panelRows) {
                try load(rows)
                try program.run(inputs: [panel.all, stack.vectors.all], outputs: [stack.results.all])
                for index in 0..<count {
                    let part = stack.results[index * panelRows..<(index + 1) * panelRows]
                    try space.backend.copy(part, to: results[first + index][rows])
                }
            }
        }
    }

    /// Ranges of one size; the last overlaps the one before.
    private static func ranges(_ count: Int, _ size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: size).map { start in
            let start = min(start, count - size)
            return start..<start + size
        }
    }

    private func load(_ rows: Range<Int>) throws(BackendError) {
        if isResident, isLoaded { return }
        if (panel.precision == .float64) == file.isWide {
            try space.backend.write(file.rows(rows, plane: plane), to: panel.all)
        } else {
            try space.backend.write(file.doubles(rows, plane: plane), to: panel.all)
        }
        isLoaded = true
    }

    private func product(_ count: Int) throws(BackendError) -> any Executable {
        if let known = products[count] { return known }
        let (n, p) = (dimension, panelRows)
        let made = try space.backend.compile(
            .trace { t in
                let panel = t.input("panel", [p, n])
                return count == 1
                    ? [("y", panel.matmul(t.input("x", [n, 1])))]
                    : [("y", t.input("x", [count, n]).matmul(panel, transposeB: true))]
            }, space.precision)
        products[count] = made
        return made
    }

    private func stack(_ count: Int) throws(BackendError) -> (vectors: DeviceArray, results: DeviceArray) {
        if let known = stacks[count] { return known }
        let made = (
            vectors: try space.vectors(count),
            results: try space.backend.allocate(count * panelRows, space.precision)
        )
        stacks[count] = made
        return made
    }
}
