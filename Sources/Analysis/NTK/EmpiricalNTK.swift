import Backend
import Foundation
import Graph
import Planner

/// The empirical neural tangent kernel `K = J·Jᵀ` of a model at given weights (Jacot et al. 2018), tile by tile.
///
/// The kernel is cut into tiles of samples. Each tile is computed by the same programs whatever the memory, and no sum
/// crosses tiles: so the result depends neither on the memory nor on the order of tiles, and a kernel of samples with
/// themselves is exactly symmetric.
public final class EmpiricalNTK {
    /// Samples on a device: inputs `[N, …]` and their number.
    public typealias Samples = (array: DeviceArray, count: Int)

    /// How a kernel is computed.
    public struct Options: Sendable {
        /// Samples of one pass of the model.
        public var batchSize = 128
        /// Bytes on the device for features, tiles and the model's own values.
        public var memory = 1 << 30
        /// Samples of a tile; chosen by the number of outputs unless given.
        public var tile: Int?
        /// One way for all parameters that it can serve; the cheapest for each unless given.
        public var algorithm: KernelAlgorithm?
        /// Whether each part's time is measured, which costs a wait after each.
        public var keepsTimes = true

        /// The usual.
        public init() {}
    }

    /// Number of outputs of the model.
    public let outputs: Int
    /// Samples of a tile.
    public let tile: Int
    /// Rows and columns of the kernel, and matrices one after the other.
    public let rows: Int, columns: Int, planes: Int
    /// Cost of the parts; after `run`, with their times.
    public private(set) var costs: [KernelCost]
    /// Seconds of the passes through the model.
    public private(set) var featureSeconds = 0.0
    /// Bytes on the device that were planned for.
    public let plannedBytes: Int

    private let x: Samples, x2: Samples?
    private let kind: KernelKind
    private let features: FeatureExtractor
    private let contraction: KernelContraction
    private let panel: Int
    private let backend: any Backend
    private let precision: Precision
    private let keepsTimes: Bool

    /// Prepares a kernel between samples `x` and, if given, other samples `x2`. `fixed` gives inputs of the forward
    /// program that are neither parameters nor samples.
    public init(
        _ forward: @escaping @Sendable (Int) -> Program, _ layout: ParameterLayout, parameters: DeviceArray,
        fixed: [String: DeviceSlice], x: Samples, x2: Samples? = nil, kind: KernelKind,
        _ options: Options = Options(),
        on backend: any Backend
    ) throws(BackendError) {
        (self.x, self.x2, self.kind, self.backend) = (x, x2, kind, backend)
        precision = parameters.precision
        keepsTimes = options.keepsTimes
        var bound = fixed
        for entry in layout.entries { bound[entry.name] = parameters[entry.range] }
        outputs = forward(1).outputs[0].shape[1]
        let smallest = min(x.count, x2?.count ?? x.count), largest = max(x.count, x2?.count ?? x.count)
        let cotangents = kind.cotangents(outputs)
        // Every output is a row of the pull-back, so batches are smaller where there are many.
        // One sample alone would hide what is repeated for every sample.
        let batch = max(min(2, smallest), min(options.batchSize, smallest, 1024 / max(1, cotangents)))
        let program = FeatureProgram(forward, layout, batch: batch, kind: kind, algorithm: options.algorithm)
        let perSample = program.units.reduce(0) { sum, unit in
            let (rows, activation) = unit.elements(cotangents)
            return sum + (rows + activation) * parameters.precision.bytes
        }
        let bytes = parameters.precision.bytes,
            model = try backend.plan(program.batched, precision, sumsInOrder: true)
        let count = outputs
        /// Bytes for a tile, two panels of one tile each, and what the programs need beside.
        func needed(_ tile: Int) -> Int {
            let parts = program.units.map { $0.working(kind, count, tile) }.max() ?? 0
            return (6 * kind.tile(tile, tile, count).count + parts + model.arenaCount) * bytes
                + 2 * max(tile, batch) * perSample
        }
        var tile = max(1, min(options.tile ?? Self.usualTile(largest, kind.rows(outputs)), largest))
        while options.tile == nil, tile > 16, needed(tile) > options.memory { tile = max(16, tile / 2) }
        self.tile = tile
        let rowTile = min(tile, x.count), columnTile = min(tile, x2?.count ?? x.count)
        features = try FeatureExtractor(
            program, kind, batch: batch, bound: bound, on: backend, precision)
        contraction = try KernelContraction(
            features.units, kind, outputs: outputs, rows: rowTile, columns: columnTile,
            keepsTimes: options.keepsTimes, on: backend, precision)
        // Two panels of samples, each of whole tiles, are held at once.
        let beside = needed(tile) - 2 * max(tile, batch) * perSample, room = max(0, options.memory - beside)
        // A panel holds a batch at least, so that batches do not depend on tiles.
        panel = max(room / (2 * max(1, perSample) * tile), (batch + tile - 1) / tile, 1) * tile
        plannedBytes = beside + (x2 == nil && panel >= largest ? 1 : 2) * min(panel, largest) * perSample
        let block = kind.rows(outputs)
        (rows, columns, planes) = (
            x.count * block, (x2?.count ?? x.count) * block, kind.planes(outputs)
        )
        let pairs = Double(x.count) * Double(x2?.count ?? (x.count + 1)) / (x2 == nil ? 2 : 1)
        let size = Double(bytes)
        costs = features.units.map { unit in
            let cost = unit.pairCost(kind, count)
            let (rows, activation) = unit.elements(cotangents)
            return KernelCost(
                layer: unit.names.joined(separator: " + "), algorithm: unit.algorithm,
                flops: cost.flops * pairs,
                bytes: cost.elements * size * pairs, featureBytes: (rows + activation) * bytes)
        }
    }

    /// Number of tiles along rows and columns.
    public var tiles: (rows: Int, columns: Int) {
        (starts(x.count).count, starts(x2?.count ?? x.count).count)
    }

    /// Computes all tiles that the sink does not have. `each` gives every part of the kernel a sink of its own, in the
    /// order of `costs`. `progress` is told the number of finished tiles.
    public func run(
        into sink: any KernelSink, each: [any KernelSink] = [],
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws {
        let rowStarts = starts(x.count), columnStarts = starts(x2?.count ?? x.count)
        let total =
            x2 == nil ? rowStarts.count * (rowStarts.count + 1) / 2 : rowStarts.count * columnStarts.count
        var done = 0
        var left: Panel?, right: Panel?
        let perPanel = max(1, panel / tile)
        // Panels of columns inside panels of rows: the features of a panel of rows are computed once.
        for i in stride(from: 0, to: rowStarts.count, by: perPanel) {
            for j in stride(from: 0, to: columnStarts.count, by: perPanel) where x2 != nil || j <= i {
                for row in i..<min(i + perPanel, rowStarts.count) {
                    for column in j..<min(j + perPanel, columnStarts.count) where x2 != nil || column <= row {
                        if try !sink.has(row, column) {
                            if left?.first != i { left = try makePanel(i, rowStarts, perPanel, x, left) }
                            if x2 == nil, i == j {
                                try tile(row, column, left!, left!, sink, each)
                            } else {
                                if right?.first != j {
                                    right = try makePanel(j, columnStarts, perPanel, x2 ?? x, right)
                                }
                                try tile(row, column, left!, right!, sink, each)
                            }
                        }
                        done += 1
                        progress(done, total)
                    }
                }
            }
        }
        if keepsTimes { for index in costs.indices { costs[index].seconds = contraction.seconds[index] } }
    }

    /// About a thousand rows of the kernel, so that all tiles are of one size, as near as can be.
    private static func usualTile(_ samples: Int, _ rows: Int) -> Int {
        let most = max(16, 1024 / rows), count = max(1, (samples + most - 1) / most)
        return (samples + count - 1) / count
    }

    /// Features of some tiles of samples.
    private struct Panel {
        let first: Int, start: Int
        let arrays: [String: DeviceArray]
    }

    private func starts(_ count: Int) -> [Int] {
        // Ragged tiles overlap the tile before them: all have one size.
        let width = min(tile, count)
        return stride(from: 0, to: count, by: width).map { min($0, count - width) }
    }

    private func makePanel(
        _ first: Int, _ starts: [Int], _ perPanel: Int, _ samples: Samples, _ old: Panel?
    ) throws(BackendError) -> Panel {
        let clock = ContinuousClock.now
        let width = min(tile, samples.count)
        let last = min(first + perPanel, starts.count) - 1
        let end = starts[last] + width
        // The last panel may need samples of the one before for a whole batch.
        let range = max(0, min(starts[first], end - features.batch))..<end
        let arrays: [String: DeviceArray]
        if let old {
            arrays = old.arrays
        } else {
            arrays = try features.allocate(min(samples.count, perPanel * tile))
        }
        let perSample = samples.array.count / max(1, samples.count)
        try features.extract(
            samples.array[range.lowerBound * perSample..<range.upperBound * perSample], count: range.count,
            into: arrays)
        if keepsTimes {
            try backend.synchronize()
            featureSeconds += (ContinuousClock.now - clock) / .seconds(1)
        }
        return Panel(first: first, start: range.lowerBound, arrays: arrays)
    }

    private func tile(
        _ i: Int, _ j: Int, _ left: Panel, _ right: Panel, _ sink: any KernelSink, _ each: [any KernelSink]
    ) throws {
        let isDiagonal = x2 == nil && i == j
        let (row, column) = (starts(x.count)[i], starts(x2?.count ?? x.count)[j])
        let (n, m) = (min(tile, x.count), min(tile, x2?.count ?? x.count))
        let block = kind.rows(outputs)
        func write(_ values: DeviceSlice, _ sink: any KernelSink) throws {
            var buffer = [UInt8](repeating: 0, count: values.count * precision.bytes)
            try buffer.withUnsafeMutableBytes { try backend.read(values, into: $0) }
            if kind == .mean { divide(&buffer) }
            // What a ragged tile has in common with the one before is left out: every element is of one tile.
            let rows = max(row, i * n) * block..<(row + n) * block
            let columns = max(column, j * m) * block..<(column + m) * block
            buffer = cropped(
                buffer, (n * block, m * block),
                skip: (rows.lowerBound - row * block, columns.lowerBound - column * block))
            try buffer.withUnsafeBytes {
                try sink.write(i, j, rows: rows, columns: columns, isMirrored: x2 == nil && !isDiagonal, $0)
            }
        }
        let values = try contraction.run(
            left.arrays, row - left.start, isDiagonal ? nil : right.arrays, column - right.start,
            each: each.isEmpty ? nil : { try write($1, each[$0]) })
        try write(values, sink)
    }

    /// The last rows and columns of `[planes, rows, columns]`.
    private func cropped(_ bytes: [UInt8], _ size: (Int, Int), skip: (Int, Int)) -> [UInt8] {
        if skip == (0, 0) { return bytes }
        let line = size.1 * precision.bytes, first = skip.1 * precision.bytes
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for plane in 0..<planes {
            for row in skip.0..<size.0 {
                let start = (plane * size.0 + row) * line
                result += bytes[start + first..<start + line]
            }
        }
        return result
    }

    private func divide(_ bytes: inout [UInt8]) {
        let count = Double(outputs)
        bytes.withUnsafeMutableBytes { bytes in
            switch precision {
            case .float32:
                for index in bytes.bindMemory(to: Float.self).indices {
                    bytes.bindMemory(to: Float.self)[index] /= Float(count)
                }
            case .float64:
                for index in bytes.bindMemory(to: Double.self).indices {
                    bytes.bindMemory(to: Double.self)[index] /= count
                }
            }
        }
    }
}

extension EmpiricalNTK {
    /// The kernel in memory.
    public func matrix() throws -> KernelMatrix {
        let sink = KernelMemory(rows: rows, columns: columns, planes: planes, precision)
        try run(into: sink)
        return KernelMatrix(sink.elements, rows: rows * planes, columns: columns)
    }
}
