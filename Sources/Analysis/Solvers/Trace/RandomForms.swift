import Backend
import Data

/// Forms of an operator in vectors of random signs, in blocks of as many as the operator takes; made orthogonal to given
/// vectors, if there are any. Which block a vector is in changes nothing.
final class RandomForms {
    private let matrix: any LinearOperator
    private let space: VectorSpace
    private let seed: UInt64
    private let avoided: (rows: DeviceArray, count: Int)?
    private var vectors: [DeviceArray] = [], products: [DeviceArray] = []
    private var next = 0

    init(
        _ matrix: any LinearOperator, seed: UInt64, avoiding avoided: (rows: DeviceArray, count: Int)? = nil
    ) {
        (self.matrix, space, self.seed, self.avoided) = (matrix, matrix.space, seed, avoided)
    }

    /// `⟨z, A·z⟩` for as many further vectors. Throws if one is not finite.
    func quadratic(_ count: Int) throws(BackendError) -> [Double] {
        try finite(
            try forms(count) { vector, product throws(BackendError) in try self.space.dot(vector, product) })
    }

    /// `‖A·z‖²` for as many further vectors. Throws if one is not finite.
    func squares(_ count: Int) throws(BackendError) -> [Double] {
        try finite(
            try forms(count) { _, product throws(BackendError) in
                let norm = try self.space.norm(product)
                return norm * norm
            })
    }

    private func finite(_ forms: [Double]) throws(BackendError) -> [Double] {
        guard let bad = forms.first(where: { !$0.isFinite }) else { return forms }
        throw BackendError(
            .device,
            "a random form of a trace is \(bad): products are not finite, or too large for \(space.precision.rawValue)"
        )
    }

    /// What a function of `z` and `A·z` gives for as many further vectors.
    func forms<Result>(
        _ count: Int, _ form: (_ vector: DeviceSlice, _ product: DeviceSlice) throws(BackendError) -> Result
    ) throws(BackendError) -> [Result] {
        if count < 1 { return [] }
        let rows = max(1, min(matrix.blockSize, count))
        while vectors.count < rows {
            vectors.append(try space.vector())
            products.append(try space.vector())
        }
        var results: [Result] = []
        for first in stride(from: 0, to: count, by: rows) {
            let block = min(rows, count - first)
            for row in 0..<block { try draw(into: vectors[row], by: products[row]) }
            try matrix.apply(vectors[..<block].map(\.all), into: products[..<block].map(\.all))
            for row in 0..<block { results.append(try form(vectors[row].all, products[row].all)) }
        }
        return results
    }

    private func draw(into vector: DeviceArray, by work: DeviceArray) throws(BackendError) {
        var random = RandomStream(seed: seed, purpose: "trace probe \(next)")
        next += 1
        try space.backend.write(random.rademachers(space.dimension), to: vector.all)
        guard let avoided, avoided.count > 0 else { return }
        for _ in 0..<2 {
            let parts = try space.project(vector.all, on: avoided.rows, avoided.count)
            try space.add(vector.all, parts.map { -$0 }, of: avoided.rows, into: work.all)
            try space.backend.copy(work.all, to: vector.all)
        }
    }
}
