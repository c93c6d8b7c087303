import COpenBLAS

/// Dense linear algebra of small matrices in float64 on the host, by LAPACK.
public enum HostLinearAlgebra {
    /// Eigenvalues of a symmetric matrix `[n, n]`, ascending. Only the lower triangle is read.
    public static func symmetricEigenvalues(_ matrix: [Double], _ n: Int) throws(BackendError) -> [Double] {
        try symmetricEigen(matrix, n, vectors: false).values
    }

    /// Eigenvalues, ascending, and eigenvectors of a symmetric matrix `[n, n]`; `vectors[k·n + i]` is component
    /// `i` of the unit eigenvector of `values[k]`.
    public static func symmetricEigen(
        _ matrix: [Double], _ n: Int, vectors: Bool = true
    ) throws(BackendError) -> (values: [Double], vectors: [Double]) {
        precondition(matrix.count == n * n, "\(matrix.count) elements for a matrix \(n)×\(n)")
        if n == 0 { return ([], []) }
        if let index = matrix.firstIndex(where: { !$0.isFinite }) {
            throw BackendError(
                .program, "eigenvalues of a matrix with \(matrix[index]) at (\(index / n), \(index % n))")
        }
        var (a, values, size, info) = (matrix, [Double](repeating: 0, count: n), Int32(n), Int32(0))
        let job = Int8(UInt8(ascii: vectors ? "V" : "N"))
        let triangle = Int8(UInt8(ascii: "U"))  // Column-major upper is row-major lower.
        var workSize = [0.0]
        var integerSize: [Int32] = [0]
        var query = Int32(-1)
        withUnsafePointer(to: job) { job in
            withUnsafePointer(to: triangle) { triangle in
                dsyevd_(
                    job, triangle, &size, &a, &size, &values, &workSize, &query, &integerSize, &query, &info)
                var (count, integers) = (Int32(workSize[0]), integerSize[0])
                var work = [Double](repeating: 0, count: Int(max(1, count)))
                var integerWork = [Int32](repeating: 0, count: Int(max(1, integers)))
                dsyevd_(
                    job, triangle, &size, &a, &size, &values, &work, &count, &integerWork, &integers, &info)
            }
        }
        if info != 0 {
            throw BackendError(.device, "LAPACK dsyevd failed with info \(info) on a \(n)×\(n) matrix")
        }
        return (values, vectors ? a : [])
    }

    /// Eigenvalues, ascending, and eigenvectors of a symmetric tridiagonal matrix with the given diagonal `[n]`
    /// and off-diagonal `[n − 1]`; `vectors[k·n + i]` is component `i` of the eigenvector of `values[k]`.
    public static func tridiagonalEigen(
        diagonal: [Double], offDiagonal: [Double]
    ) throws(BackendError) -> (values: [Double], vectors: [Double]) {
        let n = diagonal.count
        precondition(
            offDiagonal.count == max(0, n - 1), "\(offDiagonal.count) off-diagonal elements for \(n)")
        if n == 0 { return ([], []) }
        if let bad = (diagonal + offDiagonal).first(where: { !$0.isFinite }) {
            throw BackendError(.program, "eigenvalues of a tridiagonal matrix that holds \(bad)")
        }
        var values = diagonal
        var off = offDiagonal + [0]
        var vectors = [Double](repeating: 0, count: n * n)
        var work = [Double](repeating: 0, count: max(1, 2 * n - 2))
        var (size, info) = (Int32(n), Int32(0))
        let job = Int8(UInt8(ascii: "V"))
        withUnsafePointer(to: job) { dstev_($0, &size, &values, &off, &vectors, &size, &work, &info) }
        if info != 0 { throw BackendError(.device, "LAPACK dstev failed with info \(info) on \(n) rows") }
        return (values, vectors)
    }
}
