import Backend
import Data
import Planner

/// The range of an operator on random vectors, for estimates of its trace: test vectors ω, an orthonormal basis Q of the products
/// `A·ω`, and the small matrices between them. It grows a block at a time.
final class TraceSketch {
    /// The small matrices.
    private(set) var statistics: XTrace
    /// Products with the operator so far.
    private(set) var products = 0
    /// Whether the products span the operator's whole range: the trace of the core is that of the operator.
    private(set) var isComplete = false
    /// The basis, one vector per row.
    private(set) var basis: DeviceArray
    /// Vectors of the basis.
    private(set) var count = 0

    private let matrix: any LinearOperator
    private let space: VectorSpace
    private let seed: UInt64
    private var tests: DeviceArray
    private let work: DeviceArray, spare: DeviceArray
    private var scale = 0.0
    /// What was left of the image of a test vector that the basis spans.
    private var rest = 0.0

    init(_ matrix: any LinearOperator, seed: UInt64) throws(BackendError) {
        (self.matrix, space, self.seed) = (matrix, matrix.space, seed)
        statistics = XTrace(dimension: matrix.dimension)
        basis = try space.vectors(min(8, matrix.dimension))
        tests = try space.vectors(min(8, matrix.dimension))
        work = try space.vector()
        spare = try space.vector()
    }

    /// Adds `more` test vectors, or as many as the operator's range has room for.
    func extend(by more: Int) throws(BackendError) {
        var left = min(more, space.dimension - count)
        while left > 0, !isComplete {
            let block = min(left, max(1, matrix.blockSize))
            try extend(block: block)
            left -= block
        }
        if count == space.dimension { isComplete = true }
    }

    /// The trace once the sketch is complete. What is left of a normal vector's image is the Frobenius norm of what is left of
    /// the operator, and its trace may be √n times that.
    var completed: MeanEstimate {
        let sizes = statistics.core.indices.reduce(0) { $0 + abs(statistics.core[$1][$1]) }
        let rounding = 16 * space.precision.epsilon * max(sizes, scale / Double(space.dimension).squareRoot())
        return MeanEstimate(
            mean: statistics.coreTrace,
            standardError: max(rounding, Double(space.dimension - count).squareRoot() * rest), count: count)
    }

    private func extend(block: Int) throws(BackendError) {
        try grow(to: count + block)
        let images = try space.vectors(block), products = try space.vectors(block)
        var norms: [Double] = []
        for index in 0..<block {
            var random = RandomStream(seed: seed, purpose: "trace test vector \(count + index)")
            try space.backend.write(
                random.normals(space.dimension), to: space.row(count + index, of: tests))
            norms.append(try space.norm(space.row(count + index, of: tests)))
        }
        try matrix.apply(rows(of: tests, count, block), into: rows(of: images, 0, block))
        self.products += block
        // An orthonormal basis, one vector after the other, twice against all before.
        var columns: [[Double]] = []
        for index in 0..<block {
            let found = try orthogonalise(space.row(index, of: images), against: count + index)
            scale = max(scale, found.norm)
            let pivot = found.column.last ?? 0
            guard pivot > 16 * space.precision.epsilon * scale else {
                (isComplete, rest) = (true, pivot)
                break
            }
            columns.append(found.column)
        }
        let first = count, fresh = columns.count
        if fresh == 0 { return }
        try matrix.apply(rows(of: basis, first, fresh), into: rows(of: products, 0, fresh))
        self.products += fresh
        for index in 0..<fresh {
            let total = first + index + 1
            let overlap = try space.project(space.row(first + index, of: tests), on: basis, total)
            let others =
                total == 1
                ? [] : try space.project(space.row(first + index, of: basis), on: tests, total - 1)
            let product = try space.project(space.row(index, of: products), on: basis, total)
            statistics.append(
                column: columns[index], square: norms[index] * norms[index], overlap: overlap,
                others: others, product: product)
        }
        count += fresh
    }

    /// Makes an image orthogonal to the first vectors of the basis and appends it to them; its coefficients, the last one its
    /// own length afterwards, and its length before.
    private func orthogonalise(
        _ image: DeviceSlice, against known: Int
    ) throws(BackendError) -> (column: [Double], norm: Double) {
        let norm = try space.norm(image)
        guard norm.isFinite else {
            throw BackendError(.device, "the operator gave a vector that is not finite to a trace estimate")
        }
        var column = [Double](repeating: 0, count: known)
        try space.backend.copy(image, to: work.all)
        for _ in 0..<(known > 0 ? 2 : 0) {
            let parts = try space.project(work.all, on: basis, known)
            try space.add(work.all, parts.map { -$0 }, of: basis, into: spare.all)
            try space.backend.copy(spare.all, to: work.all)
            column = zip(column, parts).map(+)
        }
        let rest = try space.norm(work.all)
        if rest > 0 { try space.scale(1 / rest, work.all, into: space.row(known, of: basis)) }
        return (column + [rest], norm)
    }

    private func rows(of array: DeviceArray, _ first: Int, _ count: Int) -> [DeviceSlice] {
        (first..<first + count).map { space.row($0, of: array) }
    }

    /// Room for more vectors: twice as many at a time.
    private func grow(to rows: Int) throws(BackendError) {
        let held = basis.count / space.dimension
        if rows <= held { return }
        let size = min(space.dimension, max(rows, 2 * held))
        for path in [\TraceSketch.basis, \TraceSketch.tests] {
            let larger = try space.vectors(size)
            try space.backend.copy(self[keyPath: path].all, to: larger[0..<self[keyPath: path].count])
            if path == \TraceSketch.basis { basis = larger } else { tests = larger }
        }
    }
}
