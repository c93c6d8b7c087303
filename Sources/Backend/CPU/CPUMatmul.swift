import Planner

/// A batch of matrix products, cut into pieces of rows or columns.
struct CPUMatmul: CPUKernel {
    private let kernel: MatrixProduct
    private let blas: BLAS

    init(_ kernel: MatrixProduct, _ precision: Precision) {
        self.kernel = kernel
        blas = BLAS(precision: precision)
    }

    func run(_ binding: CPUBinding) {
        kernel.isGram ? runGram(binding) : runProduct(binding)
    }

    private var bytes: Int { blas.precision.bytes }

    private func runProduct(_ binding: CPUBinding) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        let (lda, ldb) = (kernel.transposeA ? m : k, kernel.transposeB ? k : n)
        // Pieces of about a million multiply-adds along the longer side, in whole register tiles.
        let isTall = m >= n
        let side = isTall ? m : n
        let width = max(64, (1_000_000 / max(1, k * min(m, n)) + 63) / 64 * 64)
        let pieces = max(1, (side + width - 1) / width)
        Parallel.forEach(kernel.batches * pieces) { index in
            let (batch, piece) = (index / pieces, index % pieces)
            let range = piece * width..<min(side, (piece + 1) * width)
            let (rows, columns) = isTall ? (range, 0..<n) : (0..<m, range)
            let skipA = rows.lowerBound * (kernel.transposeA ? 1 : lda)
            let skipB = columns.lowerBound * (kernel.transposeB ? ldb : 1)
            blas.gemm(
                rows.count, columns.count, k,
                binding.operands[0] + (batch * m * k + skipA) * bytes, lda, transposeA: kernel.transposeA,
                binding.operands[1] + (batch * k * n + skipB) * bytes, ldb, transposeB: kernel.transposeB,
                binding.result + (batch * m * n + rows.lowerBound * n + columns.lowerBound) * bytes, n)
        }
    }

    /// The lower triangle in blocks of rows, then its mirror image.
    private func runGram(_ binding: CPUBinding) {
        let (n, k) = (kernel.n, kernel.k)
        let block = 128
        let blocks = (n + block - 1) / block
        let lda = kernel.transposeA ? n : k
        Parallel.forEach(kernel.batches * blocks) { index in
            // Long blocks first.
            let (batch, piece) = (index / blocks, blocks - 1 - index % blocks)
            let rows = piece * block..<min(n, (piece + 1) * block)
            let a = binding.operands[0] + batch * n * k * bytes
            let c = binding.result + batch * n * n * bytes
            let mine = a + rows.lowerBound * (kernel.transposeA ? 1 : lda) * bytes
            if rows.lowerBound > 0 {
                blas.gemm(
                    rows.count, rows.lowerBound, k, mine, lda, transposeA: kernel.transposeA, a, lda,
                    transposeB: kernel.transposeB, c + rows.lowerBound * n * bytes, n)
            }
            blas.syrk(
                rows.count, k, mine, lda, transposed: kernel.transposeA,
                c + (rows.lowerBound * n + rows.lowerBound) * bytes, n)
        }
        Parallel.forEach(kernel.batches) { batch in mirror(binding.result + batch * n * n * bytes, n) }
    }

    private func mirror(_ c: UnsafeMutableRawPointer, _ n: Int) {
        switch blas.precision {
        case .float32:
            let c = c.assumingMemoryBound(to: Float.self)
            for i in 0..<n { for j in 0..<i { c[j * n + i] = c[i * n + j] } }
        case .float64:
            let c = c.assumingMemoryBound(to: Double.self)
            for i in 0..<n { for j in 0..<i { c[j * n + i] = c[i * n + j] } }
        }
    }
}
