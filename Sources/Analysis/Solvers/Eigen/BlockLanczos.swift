import Backend

/// A block Lanczos factorisation `A·V = V·T + Q·C` with full reorthogonalisation, done twice, that can be restarted with
/// any of its Ritz vectors (Wu and Simon 2000; for blocks, Baglama, Calvetti and Reichel 2003).
///
/// `V` are the rows of `basis`, `T` is dense in float64 on the host, `Q` is the block that comes next and `C` couples it
/// to the basis. In the first steps C couples to the last block only; after a restart, to every Ritz vector kept.
/// Vectors in `avoiding` are projected out of every iterate, so the factorisation lives in their complement.
/// `images` are the products `A·V` themselves: they give the true residual of any combination without another product.
final class BlockLanczos {
    let matrix: any LinearOperator
    let space: VectorSpace
    let avoiding: [RowStore]
    /// Orthonormal vectors.
    var basis: RowStore
    /// `A·V`, row by row; nil where nobody asks for residuals.
    var images: RowStore?
    /// `T`, row by row.
    var projected: [[Double]] = []
    /// `C`: for every vector of the next block, its coupling to every vector of the basis.
    var coupling: [[Double]] = []
    /// The next block in its first rows; while a step is made, the product.
    var block: DeviceArray
    let scratch: DeviceArray
    /// A lower estimate of `‖A‖` that scales with it: the largest `‖A·v‖` seen.
    var norm: Double

    /// An empty factorisation with room for blocks of `blockRows` vectors.
    init(
        _ matrix: any LinearOperator, avoiding: [RowStore], blockRows: Int, norm: Double,
        keepsImages: Bool = true
    ) throws(BackendError) {
        (self.matrix, space, self.avoiding, self.norm) = (matrix, matrix.space, avoiding, norm)
        basis = RowStore(space)
        images = keepsImages ? RowStore(space) : nil
        block = try space.vectors(blockRows)
        scratch = try space.vectors(blockRows)
    }

    /// Vectors that no one has seen yet.
    var room: Int { complement - coupling.count }
    /// Dimensions outside of the basis and what is avoided.
    var complement: Int { avoiding.reduce(space.dimension - basis.count) { $0 - $1.count } }
    /// A coupling below this is rounding noise.
    var noise: Double { 16 * space.precision.epsilon * norm }

    func part(_ array: DeviceArray, _ rows: Int) -> DeviceSlice {
        array[0..<rows * space.dimension]
    }

    /// Takes the next block into the basis and multiplies it. Returns the products spent.
    func step() throws(BackendError) -> Int {
        let first = basis.count, rows = coupling.count
        for row in 0..<rows { try basis.append(space.row(row, of: block)) }
        for i in 0..<first { projected[i] += coupling.map { $0[i] } }
        projected += coupling.map { $0 + [Double](repeating: 0, count: rows) }
        try matrix.apply(
            basis.rows(first..<first + rows), into: (0..<rows).map { space.row($0, of: block) })
        for row in 0..<rows { try images?.append(space.row(row, of: block)) }
        try takeProducts(rows, of: first)
        return rows
    }

    /// Turns the products in `block` with the basis vectors from `first` on, or their residuals, into elements of T, the next
    /// block and its coupling.
    func takeProducts(_ rows: Int, of first: Int) throws(BackendError) {
        let products = try finiteNorms(rows)
        norm = max(norm, products.max() ?? 0)
        let own = first..<first + rows
        var added = try removeAll(rows).map { Array($0[own]) }
        let (count, firstFactors) = try orthonormalise(rows, [Double](repeating: 1, count: rows))
        var coefficients = firstFactors
        // The second time on unit vectors: what is left of the basis in them is rounding noise of their own size.
        let again = count == 0 ? [] : try removeAll(count).map { Array($0[own]) }
        for row in 0..<rows {
            for j in 0..<count {
                for i in 0..<rows { added[row][i] += coefficients[j][row] * again[j][i] }
            }
        }
        let sizes = (0..<count).map { j in coefficients[j].reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let second = try orthonormalise(count, sizes).coefficients
        coefficients = second.map { factors in
            (0..<rows).map { row in (0..<count).reduce(0) { $0 + factors[$1] * coefficients[$1][row] } }
        }
        for i in 0..<rows {
            for j in 0..<rows { projected[first + i][first + j] += (added[i][j] + added[j][i]) / 2 }
        }
        // No more than there are dimensions left: the rest is rounding noise, however large.
        let zeros = [Double](repeating: 0, count: first)
        coupling = coefficients.prefix(complement).map { zeros + $0 }
    }

    /// Fills the next block up to `rows` with new directions, orthogonal to all others: what an invariant subspace or
    /// columns that became dependent call for. Ends early where no dimension is left.
    func fill(
        to rows: Int, _ fresh: () throws(BackendError) -> [Double]
    ) throws(BackendError) {
        var tries = 0
        while coupling.count < rows, room > 0, tries < 8 * rows {
            let index = coupling.count
            let row = space.row(index, of: block)
            try space.backend.write(try fresh(), to: row)
            tries += 1
            guard try makeUnit(row, floor: 0) > 0 else { continue }
            // Three times: hardly anything may be left of it where the complement is small.
            var size = 1.0
            for _ in 0..<3 where size > 0 {
                try removeAll(from: row)
                size = try removeMates(row, index).norm
                if size <= 64 * space.precision.epsilon { size = 0 }
                if size > 0 { size = try makeUnit(row, floor: 0) }
            }
            if size > 0 { coupling.append([Double](repeating: 0, count: basis.count)) }
        }
    }
}
