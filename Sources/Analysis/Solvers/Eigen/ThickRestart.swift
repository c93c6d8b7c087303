import Backend

/// Rayleigh-Ritz pairs of a factorisation.
struct RitzPairs {
    /// Ascending.
    var values: [Double]
    /// Coefficients in the basis, one list for every value.
    var vectors: [[Double]]
    /// `C·s`: how each couples to the next block.
    var couplings: [[Double]]
    /// Residual norms `‖C·s‖`.
    var bounds: [Double]
}

extension BlockLanczos {
    /// Eigenvalues and eigenvectors of T, and how they couple to the next block.
    func ritz() throws(BackendError) -> RitzPairs {
        let m = basis.count
        let (values, flat) = try HostLinearAlgebra.symmetricEigen(projected.flatMap { $0 }, m)
        let residuals = HostLinearAlgebra.product(
            flat, coupling.flatMap { $0 }, m, m, coupling.count, transposeB: true)
        let width = coupling.count
        let couplings = (0..<m).map { Array(residuals[$0 * width..<($0 + 1) * width]) }
        let bounds = couplings.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        norm = max(norm, values.reduce(0) { max($0, abs($1)) })
        let vectors = (0..<m).map { Array(flat[$0 * m..<($0 + 1) * m]) }
        return RitzPairs(values: values, vectors: vectors, couplings: couplings, bounds: bounds)
    }

    /// Keeps only some Ritz vectors and the next block: T becomes diagonal, and every vector couples to the block.
    func restart(with values: [Double], _ vectors: [[Double]]) throws(BackendError) {
        // One after the other: the old vectors make room for the new products.
        basis = try combined(basis, vectors)
        images = if let images { try combined(images, vectors) } else { nil }
        coupling = coupling.map { row in
            vectors.map { vector in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        projected = values.indices.map { i in values.indices.map { $0 == i ? values[i] : 0 } }
    }

    private func combined(_ rows: RowStore, _ coefficients: [[Double]]) throws(BackendError) -> RowStore {
        let sums = RowStore(space)
        try rows.combine(coefficients, into: sums)
        return sums
    }

    /// Starts from approximate eigenpairs whose products are known: their span is the basis, and what the products have
    /// outside of it is the next block.
    func begin(
        with vectors: RowStore, images: RowStore, values: [Double], _ chosen: [Int]
    ) throws(BackendError) {
        for (row, index) in chosen.enumerated() {
            try basis.append(vectors.row(index))
            try self.images?.append(images.row(index))
            try space.add(
                images.row(index), -values[index], vectors.row(index), into: space.row(row, of: block))
        }
        projected = chosen.indices.map { i in chosen.indices.map { $0 == i ? values[chosen[i]] : 0 } }
        norm = max(norm, chosen.reduce(0) { max($0, abs(values[$1])) })
        try takeProducts(chosen.count, of: 0)
    }
}
