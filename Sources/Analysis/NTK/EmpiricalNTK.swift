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
        /// Operations of a product that take as long as reading or writing one element: what decides between algorithms.
        public var balance = KernelCost.usualBalance
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
    /// Operations and bytes of the passes through the model, by counting.
    public private(set) var featureWork: (flops: Double, bytes: Double) = (0, 0)
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
    private let host = (tile: HostTile(), mirror: HostTile())

    /// Prepares a kernel between samples `x` and, if given, other samples `x2`. `fixed` gives inputs of the forward
    /// program that are neither parameters nor samples. Throws if samples turn out not to be independent, as with batch
    /// normalisation in training mode.
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
        try SampleProbe.check(forward, bound, x, on: backend, precision)
        outputs = forward(1).outputs[0].shape[1]
        let count = outputs
        let plan = try KernelPlan(
            forward, layout, kind, rows: x.count, columns: x2?.count ?? x.count, isSymmetric: x2 == nil,
            options, on: backend, precision)
        (tile, panel, plannedBytes) = (plan.tiles.tile, plan.tiles.panel, plan.tiles.bytes)
        let rowTile = min(tile, x.count), columnTile = min(tile, x2?.count ?? x.count)
        features = try FeatureExtractor(
            plan.program, kind, batch: plan.tiles.batch, bound: bound, on: backend, precision)
        contraction = try KernelContraction(
            features.units, kind, outputs: outputs, rows: rowTile, columns: columnTile,
            isSymmetric: x2 == nil, keepsTimes: options.keepsTimes, on: backend, precision)
        let block = kind.rows(outputs)
        (rows, columns, planes) = (
            x.count * block, (x2?.count ?? x.count) * block, kind.planes(outputs)
        )
        let i = Self.starts(x.count, tile).count, j = Self.starts(x2?.count ?? x.count, tile).count
        let (diagonal, others) = x2 == nil ? (i, i * (i - 1) / 2) : (0, i * j)
        let size = precision.bytes
        costs = features.units.map {
            KernelCost(
                $0, kind, count, diagonal: diagonal, others: others, n: rowTile, m: columnTile,
                elementBytes: size)
        }
        // Every panel of rows once, and every panel of columns once for each of them.
        let width = max(1, panel / tile), (p, q) = ((i + width - 1) / width, (j + width - 1) / width)
        let made = x2 == nil ? p * (p + 1) / 2 : p + p * q
        featureWork = features.work(of: made * min(panel, max(x.count, x2?.count ?? x.count)))
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
        var (done, computed) = (0, 0)
        var left: Panel?, right: Panel?
        let perPanel = max(1, panel / tile)
        // Panels of columns inside panels of rows: the features of a panel of rows are computed once.
        for i in stride(from: 0, to: rowStarts.count, by: perPanel) {
            for j in stride(from: 0, to: columnStarts.count, by: perPanel) where x2 != nil || j <= i {
                for row in i..<min(i + perPanel, rowStarts.count) {
                    for column in j..<min(j + perPanel, columnStarts.count) where x2 != nil || column <= row {
                        if try !sink.has(row, column) {
                            computed += 1
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
        let all = Double(total)
        for index in costs.indices {
            if keepsTimes { costs[index].seconds = contraction.seconds[index] }
            costs[index].doneFlops = costs[index].flops * (all > 0 ? Double(computed) / all : 0)
        }
    }

    /// Features of some tiles of samples.
    private struct Panel {
        let first: Int, start: Int
        let arrays: [String: DeviceArray]
    }

    private func starts(_ count: Int) -> [Int] { Self.starts(count, tile) }

    private static func starts(_ count: Int, _ tile: Int) -> [Int] {
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
        // What a ragged tile has in common with the one before is left out: every element is of one tile.
        let rows = max(row, i * n) * block..<(row + n) * block
        let columns = max(column, j * m) * block..<(column + m) * block
        let skip = (rows: rows.lowerBound - row * block, columns: columns.lowerBound - column * block)
        func write(_ finished: KernelContraction.Finished, _ sink: any KernelSink) throws {
            try host.tile.read(finished.tile, precision, from: backend)
            let tile = KernelBlock(
                host.tile.bytes, of: (n * block, m * block), skip: skip, rows: rows, columns: columns,
                planes: planes, size: precision.bytes)
            if let bad = tile.firstNonFinite(precision) {
                throw BackendError(
                    .program,
                    "the kernel between samples \(bad.row / block) and \(bad.column / block) is \(bad.value): weights or "
                        + "samples are too large for \(precision.rawValue), or not finite")
            }
            guard let values = finished.mirror else { return try sink.write(i, j, tile, mirror: nil) }
            try host.mirror.read(values, precision, from: backend)
            let mirror = KernelBlock(
                host.mirror.bytes, of: (m * block, n * block), skip: (skip.columns, skip.rows),
                rows: columns, columns: rows, planes: planes, size: precision.bytes)
            try sink.write(i, j, tile, mirror: mirror)
        }
        let finished = try contraction.run(
            left.arrays, row - left.start, isDiagonal ? nil : right.arrays, column - right.start,
            each: each.isEmpty ? nil : { try write($1, each[$0]) })
        try write(finished, sink)
    }
}

extension EmpiricalNTK {
    /// The kernel in memory.
    public func matrix() throws -> KernelMatrix {
        let sink = try KernelMemory(rows: rows, columns: columns, planes: planes, precision)
        try run(into: sink)
        return KernelMatrix(sink.elements, rows: rows * planes, columns: columns)
    }
}

/// Room for a tile on the host, used again and again.
private final class HostTile {
    private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var room = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 64)

    func read(_ values: DeviceSlice, _ precision: Precision, from backend: any Backend) throws(BackendError) {
        let count = values.count * precision.bytes
        if room.count < count {
            room.deallocate()
            room = .allocate(byteCount: count, alignment: 64)
        }
        let part = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
        try backend.read(values, into: part)
        bytes = UnsafeRawBufferPointer(part)
    }

    deinit { room.deallocate() }
}
