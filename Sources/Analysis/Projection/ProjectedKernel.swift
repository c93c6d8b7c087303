import Backend
import Graph
import Planner

/// Entries of a tangent kernel that random features estimate, with an error bar for each.
public struct ProjectedEntries: Sendable {
    /// Estimates, row-major.
    public let estimates: [Double]
    /// Their standard errors; not a number where there is one independent part only.
    public let standardErrors: [Double]
    /// Independent parts less one.
    public let degreesOfFreedom: Int

    /// The interval that holds an entry of the exact kernel with probability `confidence`, by Student's t distribution.
    public func interval(_ index: Int, confidence: Double = 0.95) -> (lower: Double, upper: Double) {
        guard degreesOfFreedom > 0 else { return (.nan, .nan) }
        let factor = StudentT(degreesOfFreedom: Double(degreesOfFreedom)).intervalFactor(
            confidence: confidence)
        let reach = factor * standardErrors[index]
        return (estimates[index] - reach, estimates[index] + reach)
    }
}

/// The tangent kernel from random features of gradients, tile by tile in float64.
///
/// The products of single rows of R, `k·g_r(u)·g_r(v)`, are independent and identically distributed with mean ⟨u, v⟩; of
/// a sparse R its blocks are. So the standard error of their mean is their standard deviation over the root of their
/// number. Below 1e-8 of an estimate it is rounding.
public final class ProjectedKernel {
    /// Samples of a tile that is computed at once.
    public let tile: Int
    /// Rows of the kernel for one sample.
    public let rowsPerSample: Int

    private let projection: RandomProjection
    private let outputs: Int
    /// Matrices of products that are stored to be squared.
    private let products: Int
    private let kind: KernelKind
    private let backend: any Backend
    private var programs: [String: any Executable] = [:]

    /// A kernel from features `[N, O, k]` (`[N, 1, k]` for `pseudo`) of a model with `outputs` outputs. It is computed on
    /// the processor if the device has no float64. `kind` is one of `full`, `trace`, `mean` and `pseudo`.
    public init(_ projection: RandomProjection, outputs: Int, kind: KernelKind, on backend: any Backend) {
        precondition(kind != .diagonal, "projected kernels have no kind \(kind)")
        (self.projection, self.kind) = (projection, kind)
        self.outputs = kind.cotangents(outputs)
        self.backend = backend.device.hasFloat64 ? backend : CPUBackend()
        rowsPerSample = kind.rows(outputs)
        // 32 MiB for the products of all parts and for features, and a tile of a thousand rows at most.
        products = Self.termsPerPart(projection, kind, self.outputs) == 1 ? 1 : projection.parts
        let rows = min(1024, Int(Double((4 << 20) / products).squareRoot()))
        let samples = (4 << 20) / (self.outputs * projection.dimensions)
        tile = max(1, min(rows / rowsPerSample, samples))
    }

    /// Bytes for the products of one tile and the features they are made of.
    public var bytes: Int {
        let features = 2 * tile * outputs * projection.dimensions, rows = tile * rowsPerSample
        return (3 * features + (products + 6) * rows * rows) * 8
    }

    /// The kernel `[n·rowsPerSample, m·rowsPerSample]` between samples with features `left` and others with `right`.
    /// Entry (i, j) has the same bits as entry (j, i) between the same samples the other way round.
    public func entries(_ left: [Double], _ right: [Double]) throws(BackendError) -> ProjectedEntries {
        let line = outputs * projection.dimensions
        precondition(
            left.count % line == 0 && right.count % line == 0,
            "features of \(left.count) and \(right.count) elements, samples have \(line)")
        let (n, m) = (left.count / line, right.count / line), columns = m * rowsPerSample
        var estimates = [Double](repeating: 0, count: n * rowsPerSample * columns)
        var errors = estimates
        for row in stride(from: 0, to: n, by: tile) {
            let rows = row..<min(row + tile, n)
            let a = try backend.upload(
                Array(left[rows.lowerBound * line..<rows.upperBound * line]), .float64)
            for column in stride(from: 0, to: m, by: tile) {
                let others = column..<min(column + tile, m)
                let b = try backend.upload(
                    Array(right[others.lowerBound * line..<others.upperBound * line]), .float64)
                let found = try moments(a, rows.count, b, others.count)
                let width = others.count * rowsPerSample
                for index in found.sums.indices {
                    let target =
                        (row * rowsPerSample + index / width) * columns + column * rowsPerSample + index
                        % width
                    (estimates[target], errors[target]) = estimate(found.sums[index], found.squares[index])
                }
            }
        }
        return ProjectedEntries(
            estimates: estimates, standardErrors: errors, degreesOfFreedom: projection.parts - 1)
    }

    /// The mean of all parts and its standard error, from the sum of parts and of their squares.
    private func estimate(_ sum: Double, _ squares: Double) -> (Double, Double) {
        let n = Double(projection.parts), share = kind == .mean ? 1 / Double(outputs) : 1
        let variance = n > 1 ? max(0, n * squares - sum * sum) / (n - 1) : .nan
        return (sum * share, variance.squareRoot() * share)
    }

    private func moments(
        _ a: DeviceArray, _ n: Int, _ b: DeviceArray, _ m: Int
    ) throws(BackendError) -> (sums: [Double], squares: [Double]) {
        let key = "\(n) \(m)", count = n * m * rowsPerSample * rowsPerSample
        let executable: any Executable
        if let known = programs[key] {
            executable = known
        } else {
            executable = try backend.compile(
                Self.program(projection, kind, outputs, n, m), .float64, sumsInOrder: true)
            programs[key] = executable
        }
        let sums = try backend.allocate(count, .float64), squares = try backend.allocate(count, .float64)
        try executable.run(inputs: [a.all, b.all], outputs: [sums.all, squares.all])
        return (try backend.download(sums.all), try backend.download(squares.all))
    }

    /// Products that make up one part of an entry.
    private static func termsPerPart(_ projection: RandomProjection, _ kind: KernelKind, _ outputs: Int)
        -> Int
    {
        projection.rowsPerPart * (kind == .full ? 1 : outputs)
    }

    /// Sums over all parts of their products, and of the squares of these.
    private static func program(
        _ projection: RandomProjection, _ kind: KernelKind, _ outputs: Int, _ n: Int, _ m: Int
    ) -> Program {
        .trace { t in
            let (k, parts, height) = (projection.dimensions, projection.parts, projection.rowsPerPart)
            let rows = kind == .full ? outputs : 1, terms = kind == .full ? 1 : outputs
            let features = [("left", n), ("right", m)].map { t.input($0.0, [$0.1, outputs, k]) }
            func flat(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0] * rows, terms * k]) }
            let sums = flat(features[0]).matmul(flat(features[1]), transposeB: true)
            if termsPerPart(projection, kind, outputs) == 1 {
                let squared = features.map { flat($0 * $0) }
                return [("sums", sums), ("squares", squared[0].matmul(squared[1], transposeB: true))]
            }
            /// `[parts, rows, terms]`.
            func byPart(_ x: Tensor) -> Tensor {
                x.reshaped([x.shape[0] * rows, terms, parts, height]).permuted([2, 0, 1, 3])
                    .reshaped([parts, x.shape[0] * rows, terms * height])
            }
            let products = byPart(features[0]).matmul(byPart(features[1]), transposeB: true)
            return [
                ("sums", sums), ("squares", (products * products).sum([0]).reshaped([n * rows, m * rows])),
            ]
        }
    }
}
