import Backend
import Graph
import Planner

/// Multiplies rows of gradients by a random matrix on a device, chunk by chunk of parameters.
///
/// Sums within a chunk have an order of their own, and chunks are added one after the other: results do not depend on how
/// many rows there are, nor on whether the matrix is held or made again for each pass.
final class ProjectionPass {
    private let projection: RandomProjection
    private let chunks: [ParameterChunk]
    /// Rows of gradients in a pass.
    private let rows: Int
    private let backend: any Backend
    private let precision: Precision
    private var programs: [Int: any Executable] = [:]
    /// What was made of the matrix, by chunk, if all of it is held; else room for one chunk.
    private var held: [DeviceArray] = []
    private let room: DeviceArray?
    /// Two places take turns for the sum so far; the first summand is zero.
    private let zero: DeviceArray, turns: [DeviceArray]

    /// A pass over `rows` rows at a time; `holds` keeps the whole matrix on the device.
    init(
        _ projection: RandomProjection, _ chunks: [ParameterChunk], rows: Int, holds: Bool,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.projection, self.chunks, self.rows) = (projection, chunks, rows)
        (self.backend, self.precision) = (backend, precision)
        let widest = chunks.map(\.parameters.count).max() ?? 0
        room = holds ? nil : try backend.allocate(widest * projection.elementsPerParameter, precision)
        zero = try backend.allocate(rows * projection.dimensions, precision)
        var turns: [DeviceArray] = []
        for _ in 0..<2 { turns.append(try backend.allocate(rows * projection.dimensions, precision)) }
        self.turns = turns
        for width in Set(chunks.map(\.parameters.count)).sorted() {
            programs[width] = try backend.compile(
                Self.program(projection, rows: rows, width: width), precision, sumsInOrder: true)
        }
        for chunk in chunks where holds { held.append(try make(chunk)) }
    }

    /// Bytes on the device beside rows and, if it is held, the matrix.
    static func bytes(_ projection: RandomProjection, _ widest: Int, rows: Int, _ precision: Precision) -> Int
    {
        // Sparse passes copy the rows of a chunk, and change their signs.
        let copies = projection.distribution == .sparse ? 2 * rows * widest : 0
        // The matrix of one chunk is made on the host.
        return
            (3 * rows * projection.dimensions + copies + 2 * widest * projection.elementsPerParameter)
            * precision.bytes + rows * projection.dimensions * 16
    }

    /// Features `[rows, k]` of gradients, of which each chunk's array holds `[rows, width]`.
    func features(_ gradients: [String: DeviceArray]) throws(BackendError) -> [Double] {
        var sum = zero
        for (index, chunk) in chunks.enumerated() {
            let width = chunk.parameters.count
            var factors = holds ? held[index].all : room![0..<width * projection.elementsPerParameter]
            if !holds { factors = try made(chunk, in: factors) }
            let next = turns[index % 2]
            try run(programs[width]!, gradients[chunk.name]![0..<rows * width], factors, sum, into: next)
            sum = next
        }
        return inOrder(try backend.download(sum.all))
    }

    private var holds: Bool { room == nil }

    private func make(_ chunk: ParameterChunk) throws(BackendError) -> DeviceArray {
        let count = chunk.parameters.count * projection.elementsPerParameter
        let array = try backend.allocate(count, precision)
        try projection.write(chunk.parameters, to: array.all, on: backend)
        return array
    }

    private func made(_ chunk: ParameterChunk, in slice: DeviceSlice) throws(BackendError) -> DeviceSlice {
        try projection.write(chunk.parameters, to: slice, on: backend)
        return slice
    }

    private func run(
        _ executable: any Executable, _ gradients: DeviceSlice, _ factors: DeviceSlice, _ sum: DeviceArray,
        into result: DeviceArray
    ) throws(BackendError) {
        func slice(_ port: Program.Port) -> DeviceSlice {
            let words = port.name.split(separator: " "), count = port.shape.count
            let place = words.count > 1 ? Int(words[1])! * count : 0
            switch words[0] {
            case "rows": return gradients
            case "factors": return factors
            // Rows and signs of a block take turns.
            case "buckets": return factors[2 * place..<2 * place + count]
            case "signs": return factors[2 * place + count..<2 * place + 2 * count]
            case "sum": return sum[place..<place + count]
            default: return result[place..<place + count]
            }
        }
        try executable.run(
            inputs: executable.plan.inputs.map(slice), outputs: executable.plan.outputs.map(slice))
    }

    /// Adds a chunk's share to the features.
    private static func program(_ projection: RandomProjection, rows: Int, width: Int) -> Program {
        .trace { t in
            let gradients = t.input("rows", [rows, width]), k = projection.dimensions
            if projection.distribution != .sparse {
                let product = gradients.matmul(t.input("factors", [k, width]), transposeB: true)
                return [("result", product + t.input("sum", [rows, k]))]
            }
            // Rows lie next to each other, so that one entry of the matrix serves many.
            let lanes = lanes(rows), shape: Shape = [rows / lanes, width, lanes]
            let turned = gradients.reshaped([rows / lanes, lanes, width]).permuted([0, 2, 1])
            return (0..<projection.parts).map { block in
                let signs = t.input("signs \(block)", [width]).reshaped([1, width, 1]).broadcast(to: shape)
                let share = (turned * signs).scattered(
                    at: t.input("buckets \(block)", [width]), axis: 1, count: projection.rowsPerPart)
                return ("result \(block)", share + t.input("sum \(block)", share.shape))
            }
        }
    }

    /// The largest number of rows, at most 64, that divides all of them.
    private static func lanes(_ rows: Int) -> Int { (1...64).last { rows % $0 == 0 } ?? 1 }

    /// `[rows, k]` of what the programs leave, multiplied by the projection's scale.
    private func inOrder(_ values: [Double]) -> [Double] {
        let scale = projection.scale
        if projection.distribution != .sparse { return values.map { $0 * scale } }
        let (k, height, lanes) = (projection.dimensions, projection.rowsPerPart, Self.lanes(rows))
        var result = [Double](repeating: 0, count: values.count)
        var source = 0
        for block in 0..<projection.parts {
            for group in stride(from: 0, to: rows, by: lanes) {
                for bucket in 0..<height {
                    for lane in 0..<lanes {
                        result[(group + lane) * k + block * height + bucket] = values[source] * scale
                        source += 1
                    }
                }
            }
        }
        return result
    }
}
