import COpenBLAS

extension HostLinearAlgebra {
    /// `A·B` `[m, n]` in float64, row-major, where `A` is `[m, k]` and `B` is `[k, n]`, each possibly stored transposed.
    public static func product(
        _ a: [Double], _ b: [Double], _ m: Int, _ k: Int, _ n: Int, transposeA: Bool = false,
        transposeB: Bool = false
    ) -> [Double] {
        precondition(a.count == m * k && b.count == k * n, "a product of \(m)×\(k) and \(k)×\(n)")
        var c = [Double](repeating: 0, count: m * n)
        if c.isEmpty || k == 0 { return c }
        let float64 = BLAS(precision: .float64)
        c.withUnsafeMutableBufferPointer { c in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    float64.gemm(
                        m, n, k, a.baseAddress!, transposeA ? m : k, transposeA: transposeA, b.baseAddress!,
                        transposeB ? k : n, transposeB: transposeB, c.baseAddress!, n)
                }
            }
        }
        return c
    }

    /// `[columns, rows]` from `[rows, columns]`, row-major both.
    public static func transposed(_ a: [Double], _ rows: Int, _ columns: Int) -> [Double] {
        precondition(a.count == rows * columns, "\(a.count) elements for \(rows)×\(columns)")
        if rows == 1 || columns == 1 { return a }
        return [Double](unsafeUninitializedCapacity: a.count) { result, count in
            a.withUnsafeBufferPointer { a in
                for row in 0..<rows {
                    for column in 0..<columns { result[column * rows + row] = a[row * columns + column] }
                }
            }
            count = a.count
        }
    }
}
