/// The leave-one-out statistics of XTrace (Epperly, Tropp and Webber 2024), from small matrices alone.
///
/// For test vectors ω₁…ω_k with `A·Ω = Q·R`, every vector in turn tests the trace of what the others' span leaves over; the
/// estimate is the mean over all, exact for matrices of rank below k.
struct XTrace: Sendable {
    /// Length of the test vectors.
    let dimension: Int
    /// Columns of R: `triangle[i][j]`, j ≤ i, is `⟨qⱼ, A·ωᵢ⟩`.
    private(set) var triangle: [[Double]] = []
    /// `overlaps[i][j]` is `⟨qⱼ, ωᵢ⟩`, `core[i][j]` is `⟨qⱼ, A·qᵢ⟩`.
    private(set) var overlaps: [[Double]] = [], core: [[Double]] = []
    /// `‖ωᵢ‖²`.
    private(set) var squares: [Double] = []

    init(dimension: Int) { self.dimension = dimension }

    /// Test vectors so far.
    var count: Int { triangle.count }

    /// Adds a test vector.
    ///
    /// - Parameters:
    ///   - column: its column of R.
    ///   - square: its squared norm.
    ///   - overlap: its products with all q, the new one last.
    ///   - others: products of the new q with the test vectors before.
    ///   - product: products of all q, the new one last, with `A·q` of the new one.
    mutating func append(
        column: [Double], square: Double, overlap: [Double], others: [Double], product: [Double]
    ) {
        precondition(
            column.count == count + 1 && overlap.count == count + 1 && others.count == count
                && product.count == count + 1)
        for index in 0..<count {
            overlaps[index].append(others[index])
            core[index].append(product[index])
        }
        triangle.append(column)
        overlaps.append(overlap)
        core.append(product)
        squares.append(square)
    }

    /// The trace on the span of Q.
    var coreTrace: Double { core.indices.reduce(0) { $0 + core[$1][$1] } }

    /// The estimate of every test vector.
    var estimates: [Double] {
        let k = count, trace = coreTrace
        return (0..<k).map { i in
            // The direction that Q's span has only because of vector i.
            let s = direction(i)
            let share = dot(s, overlaps[i])
            var x = overlaps[i]
            for j in 0..<k { x[j] -= share * s[j] }
            var crossing = 0.0, own = 0.0
            for (j, value) in triangle[i].enumerated() {
                crossing += x[j] * value
                own += overlaps[i][j] * value
            }
            let left = squares[i] - dot(x, x)
            let scale = left > 0 ? Double(dimension - k + 1) / left : 0
            return trace - form(s) + scale * (own - 2 * crossing + form(x))
        }
    }

    /// The mean of the estimates with its standard error.
    ///
    /// Estimates share all but one of their vectors, so their spread alone is too small an error, by 3 to 50 % where it was
    /// tried; the jackknife over the vectors is up to three times too large (Efron and Stein 1981). Their geometric mean was
    /// never less than 0.95 of the true error, and is what is given.
    var estimate: MeanEstimate {
        let plain = MeanEstimate(estimates)
        guard count > 2 else { return plain }
        // A sample of vectors is enough where there are many; each costs count³ operations.
        let most = min(48, max(8, (1 << 31) / (count * count * count)))
        let chosen = Swift.stride(from: 0, to: count, by: max(1, (count + most - 1) / most)).map { $0 }
        let left = chosen.map { MeanEstimate(without($0).estimates).mean }
        let center = left.reduce(0, +) / Double(left.count)
        let squares = left.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(left.count)
        let jackknife = (Double(count - 1) * squares).squareRoot()
        let error = max(plain.standardError, (plain.standardError * jackknife).squareRoot())
        return MeanEstimate(mean: plain.mean, standardError: error, count: count)
    }

    /// The statistics without vector `i`: the columns of R behind it lose their last element to rotations of neighbouring rows.
    func without(_ i: Int) -> XTrace {
        let k = count
        var rows = triangle.map { $0 + [Double](repeating: 0, count: k - $0.count) }
        var (tests, small) = (overlaps, core)
        rows.remove(at: i)
        tests.remove(at: i)
        for column in i..<(k - 1) {
            let a = rows[column][column], b = rows[column][column + 1]
            let length = (a * a + b * b).squareRoot()
            let (c, s) = length > 0 ? (a / length, b / length) : (1, 0)
            func rotate(_ vector: inout [Double]) {
                let (p, q) = (vector[column], vector[column + 1])
                vector[column] = c * p + s * q
                vector[column + 1] = c * q - s * p
            }
            for j in column..<(k - 1) { rotate(&rows[j]) }
            for j in 0..<(k - 1) { rotate(&tests[j]) }
            for j in 0..<k { rotate(&small[j]) }
            let (p, q) = (small[column], small[column + 1])
            for j in 0..<k {
                small[column][j] = c * p[j] + s * q[j]
                small[column + 1][j] = c * q[j] - s * p[j]
            }
        }
        var rest = XTrace(dimension: dimension)
        rest.triangle = rows.indices.map { Array(rows[$0].prefix($0 + 1)) }
        rest.overlaps = tests.map { Array($0.prefix(k - 1)) }
        rest.core = small.prefix(k - 1).map { Array($0.prefix(k - 1)) }
        rest.squares = squares
        rest.squares.remove(at: i)
        return rest
    }

    /// `R⁻ᵀ·eᵢ`, normalised: forward substitution from row i on.
    private func direction(_ i: Int) -> [Double] {
        var s = [Double](repeating: 0, count: count)
        s[i] = 1
        for row in (i + 1)..<max(i + 1, count) {
            let column = triangle[row]
            var sum = 0.0
            for j in i..<row { sum += column[j] * s[j] }
            s[row] = -sum / column[row]
        }
        let norm = dot(s, s).squareRoot()
        return s.map { $0 / norm }
    }

    private func form(_ a: [Double]) -> Double {
        var sum = 0.0
        for (i, row) in core.enumerated() { sum += a[i] * dot(row, a) }
        return sum
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }
}
