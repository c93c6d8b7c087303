import COpenBLAS
import Planner

/// Row-major matrix products in either precision. Leading dimensions are row lengths as stored.
struct BLAS {
    let precision: Precision

    /// `c = a·b + beta·c`, where `a` is m×k and `b` is k×n, each possibly stored transposed.
    func gemm(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafeRawPointer, _ lda: Int, transposeA: Bool,
        _ b: UnsafeRawPointer, _ ldb: Int, transposeB: Bool, beta: Double = 0,
        _ c: UnsafeMutableRawPointer, _ ldc: Int
    ) {
        let (ta, tb) = (transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans)
        let (m, n, k) = (Int32(m), Int32(n), Int32(k))
        // Empty leading dimensions are refused by CBLAS.
        let (lda, ldb, ldc) = (Int32(max(1, lda)), Int32(max(1, ldb)), Int32(max(1, ldc)))
        switch precision {
        case .float32:
            cblas_sgemm(
                CblasRowMajor, ta, tb, m, n, k, 1, a.assumingMemoryBound(to: Float.self), lda,
                b.assumingMemoryBound(to: Float.self), ldb, Float(beta),
                c.assumingMemoryBound(to: Float.self), ldc)
        case .float64:
            cblas_dgemm(
                CblasRowMajor, ta, tb, m, n, k, 1, a.assumingMemoryBound(to: Double.self), lda,
                b.assumingMemoryBound(to: Double.self), ldb, beta, c.assumingMemoryBound(to: Double.self), ldc
            )
        }
    }

    /// Lower triangle of `c = a·aᵀ`, or of `aᵀ·a` where `a` is stored transposed; `c` is n×n.
    func syrk(
        _ n: Int, _ k: Int, _ a: UnsafeRawPointer, _ lda: Int, transposed: Bool, _ c: UnsafeMutableRawPointer,
        _ ldc: Int
    ) {
        let transpose = transposed ? CblasTrans : CblasNoTrans
        let (n, k, lda, ldc) = (Int32(n), Int32(k), Int32(max(1, lda)), Int32(max(1, ldc)))
        switch precision {
        case .float32:
            cblas_ssyrk(
                CblasRowMajor, CblasLower, transpose, n, k, 1, a.assumingMemoryBound(to: Float.self), lda, 0,
                c.assumingMemoryBound(to: Float.self), ldc)
        case .float64:
            cblas_dsyrk(
                CblasRowMajor, CblasLower, transpose, n, k, 1, a.assumingMemoryBound(to: Double.self), lda, 0,
                c.assumingMemoryBound(to: Double.self), ldc)
        }
    }
}
