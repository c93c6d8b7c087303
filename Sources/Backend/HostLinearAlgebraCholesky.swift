import COpenBLAS

/// A Cholesky factor of a symmetric positive definite matrix `[n, n]` in float64 on the host.
public struct CholeskyFactor: Sendable {
    /// Rows of the matrix.
    public let size: Int
    /// An estimate of `1/(‖A‖₁·‖A⁻¹‖₁)` (Higham 1988).
    public let reciprocalCondition: Double
    /// LAPACK's upper factor, column by column.
    private let factor: [Double]

    fileprivate init(size: Int, reciprocalCondition: Double, factor: [Double]) {
        (self.size, self.reciprocalCondition, self.factor) = (size, reciprocalCondition, factor)
    }

    /// `A⁻¹·B` for right-hand sides `B` `[n, columns]`, row-major as the result.
    /// Throws if LAPACK refuses its arguments.
    public func solve(_ rightHandSides: [Double], columns: Int) throws(BackendError) -> [Double] {
        precondition(
            rightHandSides.count == size * columns,
            "\(rightHandSides.count) elements for \(columns) right-hand sides of \(size)")
        if rightHandSides.isEmpty { return [] }
        var b = HostLinearAlgebra.transposed(rightHandSides, size, columns)
        var (n, count, info) = (Int32(size), Int32(columns), Int32(0))
        let triangle = Int8(UInt8(ascii: "U"))
        withUnsafePointer(to: triangle) { dpotrs_($0, &n, &count, factor, &n, &b, &n, &info) }
        if info != 0 { throw BackendError(.device, "LAPACK dpotrs failed with info \(info) on \(n) rows") }
        return HostLinearAlgebra.transposed(b, columns, size)
    }

    /// `X·R⁻¹` for rows `X` `[rows, n]`, where `RᵀR = A`, row-major as the result.
    public func divide(_ rows: [Double], _ count: Int) -> [Double] {
        precondition(rows.count == count * size, "\(rows.count) elements for \(count) rows of \(size)")
        if rows.isEmpty { return [] }
        var x = rows
        // Column-major upper is row-major lower, Rᵀ: X·R⁻¹ is X·(Rᵀ)⁻ᵀ.
        cblas_dtrsm(
            CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, Int32(count), Int32(size), 1,
            factor, Int32(size), &x, Int32(size))
        return x
    }
}

extension HostLinearAlgebra {
    /// The Cholesky factor of `A + shift·I` for a symmetric `A` `[n, n]`, of which the lower triangle is factored;
    /// nil if a pivot is not positive, which is how an indefinite or singular matrix shows.
    /// Throws if an element is not finite.
    public static func cholesky(
        _ matrix: [Double], _ n: Int, shift: Double = 0
    ) throws(BackendError) -> CholeskyFactor? {
        precondition(matrix.count == n * n, "\(matrix.count) elements for a matrix \(n)×\(n)")
        if n == 0 { return CholeskyFactor(size: 0, reciprocalCondition: 1, factor: []) }
        if let index = matrix.firstIndex(where: { !$0.isFinite }) {
            throw BackendError(
                .program, "Cholesky factor of a matrix with \(matrix[index]) at (\(index / n), \(index % n))")
        }
        var a = matrix
        for i in 0..<n { a[i * (n + 1)] += shift }
        var norm = oneNorm(a, n)
        var (size, info, reciprocal) = (Int32(n), Int32(0), 0.0)
        var work = [Double](repeating: 0, count: 3 * n)
        var integerWork = [Int32](repeating: 0, count: n)
        let triangle = Int8(UInt8(ascii: "U"))  // Column-major upper is row-major lower.
        withUnsafePointer(to: triangle) { triangle in
            dpotrf_(triangle, &size, &a, &size, &info)
            if info == 0 {
                dpocon_(triangle, &size, a, &size, &norm, &reciprocal, &work, &integerWork, &info)
            }
        }
        if info > 0 { return nil }
        if info < 0 { throw BackendError(.device, "LAPACK dpotrf failed with info \(info) on \(n) rows") }
        return CholeskyFactor(size: n, reciprocalCondition: reciprocal, factor: a)
    }

    /// The largest sum of magnitudes in a row of a symmetric matrix `[n, n]`: its 1-norm.
    public static func oneNorm(_ matrix: [Double], _ n: Int) -> Double {
        precondition(matrix.count == n * n, "\(matrix.count) elements for a matrix \(n)×\(n)")
        return matrix.withUnsafeBufferPointer { a in
            (0..<n).reduce(0) { largest, row in
                var sum = 0.0
                for column in 0..<n { sum += abs(a[row * n + column]) }
                return max(largest, sum)
            }
        }
    }
}
