import Backend

/// Unit vectors with their products, Rayleigh quotients and true residuals.
struct RitzProof {
    var vectors: RowStore, images: RowStore
    var values: [Double] = [], residuals: [Double] = []

    /// Multiplies orthonormal vectors, in blocks of as many as the operator takes.
    init(_ matrix: any LinearOperator, _ vectors: RowStore) throws(BackendError) {
        (self.vectors, images) = (vectors, RowStore(matrix.space))
        let block = max(1, matrix.blockSize)
        for first in stride(from: 0, to: vectors.count, by: block) {
            let range = first..<min(first + block, vectors.count)
            for _ in range { _ = try images.appendRow() }
            try matrix.apply(vectors.rows(range), into: images.rows(range))
        }
        try measure()
    }

    /// Some Ritz vectors of a factorisation that keeps its products: no further ones are needed.
    init(_ lanczos: BlockLanczos, _ ritz: RitzPairs, _ indices: [Int]) throws(BackendError) {
        guard let products = lanczos.images else { preconditionFailure("products were not kept") }
        (vectors, images) = (RowStore(lanczos.space), RowStore(lanczos.space))
        let coefficients = indices.map { ritz.vectors[$0] }
        try lanczos.basis.combine(coefficients, into: vectors)
        try products.combine(coefficients, into: images)
        try measure()
    }

    /// No pairs.
    init(_ space: VectorSpace) { (vectors, images) = (RowStore(space), RowStore(space)) }

    var count: Int { values.count }

    /// Takes in other vectors, orthonormal to these.
    mutating func join(_ other: RitzProof) throws(BackendError) {
        for index in other.values.indices {
            try vectors.append(other.vectors.row(index))
            try images.append(other.images.row(index))
        }
        values += other.values
        residuals += other.residuals
    }

    /// Rotates the vectors to the Rayleigh-Ritz vectors of their span: what one has in the residual of another vanishes.
    mutating func rotate() throws(BackendError) {
        let k = vectors.count, space = vectors.space
        var gram: [[Double]] = []
        for index in 0..<k { gram.append(try vectors.project(images.row(index), rows: 1)[0]) }
        let symmetric = (0..<k * k).map { (gram[$0 / k][$0 % k] + gram[$0 % k][$0 / k]) / 2 }
        let flat = try HostLinearAlgebra.symmetricEigen(symmetric, k).vectors
        let rotation = (0..<k).reversed().map { Array(flat[$0 * k..<($0 + 1) * k]) }
        let (turned, turnedImages) = (RowStore(space), RowStore(space))
        try vectors.combine(rotation, into: turned)
        try images.combine(rotation, into: turnedImages)
        (vectors, images) = (turned, turnedImages)
        try measure()
    }

    private mutating func measure() throws(BackendError) {
        let space = vectors.space, residual = try space.vector()
        (values, residuals) = ([], [])
        for index in 0..<vectors.count {
            // Combinations are of unit length but for rounding.
            let length = try space.norm(vectors.row(index))
            let value = try space.dot(vectors.row(index), images.row(index)) / (length * length)
            try space.add(images.row(index), -value, vectors.row(index), into: residual.all)
            let norm = try space.norm(residual.all) / length
            guard value.isFinite, norm.isFinite else {
                throw BackendError(
                    .device, "the operator gave a vector that is not finite for eigenvector \(index)")
            }
            values.append(value)
            residuals.append(norm)
        }
    }
}
