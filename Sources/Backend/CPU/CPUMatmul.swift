import CKernels
import Planner

/// A batch of matrix products, or Gram matrices, cut into blocks of rows and columns.
///
/// Where vectors are long our own kernel is faster than OpenBLAS, which knows fewer processors; OpenBLAS does the
/// rest, and products too thin for a tile. How a product is cut never changes the order of its sums.
struct CPUMatmul: CPUKernel {
    private let kernel: MatrixProduct
    private let blas: BLAS
    private let blocks: ProductBlocks
    private let epilogue: CPUEpilogue?

    init(_ kernel: MatrixProduct, _ precision: Precision) {
        self.kernel = kernel
        epilogue = CPUEpilogue(kernel.epilogue, precision)
        blas = BLAS(precision: precision)
        blocks = ProductBlocks(kernel)
    }

    /// Elements of working memory: one thread's packed operands, for every thread.
    static func scratch(_ kernel: MatrixProduct) -> Int {
        let blocks = ProductBlocks(kernel)
        return blocks.usesBLAS ? 0 : Parallel.threads * blocks.work
    }

    private var bytes: Int { blas.precision.bytes }
    private var lda: Int { kernel.transposeA ? kernel.m : kernel.k }
    private var ldb: Int { kernel.transposeB ? kernel.k : kernel.n }

    func run(_ binding: CPUBinding) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        let loads = epilogue?.operands(binding)
        Parallel.forEach(kernel.batches * blocks.count) { index, thread in
            let (batch, piece) = (index / blocks.count, index % blocks.count)
            let (rows, columns) = blocks.block(piece)
            block(
                binding.operands[0] + batch * m * k * bytes, binding.operands[1] + batch * k * n * bytes,
                binding.result + batch * m * n * bytes, rows, columns,
                binding.scratch.map { $0 + thread * blocks.work * bytes })
            if let epilogue, let loads, !kernel.isGram {
                for row in rows {
                    let first = (batch * m + row) * n
                    epilogue.apply(
                        first + columns.lowerBound..<first + columns.upperBound, loads, binding.result)
                }
            }
        }
        if kernel.isGram {
            Parallel.forEach(kernel.batches) { batch, _ in mirror(binding.result + batch * n * n * bytes, n) }
            epilogue?.applyToAll(kernel.batches * n * n, binding)
        }
    }

    private func block(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer, _ rows: Range<Int>,
        _ columns: Range<Int>, _ work: UnsafeMutableRawPointer?
    ) {
        let (stepA, stepB) = (kernel.transposeA ? 1 : lda, kernel.transposeB ? ldb : 1)
        if blocks.usesBLAS {
            blas.gemm(
                rows.count, columns.count, kernel.k,
                a + rows.lowerBound * stepA * bytes, lda, transposeA: kernel.transposeA,
                b + columns.lowerBound * stepB * bytes, ldb, transposeB: kernel.transposeB,
                c + (rows.lowerBound * kernel.n + columns.lowerBound) * bytes, kernel.n)
            return
        }
        var product = ls_product(
            k: Int64(kernel.k), a_row: Int64(stepA), a_term: Int64(kernel.transposeA ? lda : 1),
            b_column: Int64(stepB), b_term: Int64(kernel.transposeB ? 1 : ldb), c_row: Int64(kernel.n))
        ls_product_block(
            blas.precision.isWide, &product, a, b, c, work, Int64(rows.lowerBound), Int64(rows.count),
            Int64(columns.lowerBound), Int64(columns.count))
    }

    /// Copies the lower triangle to the upper one.
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

/// How a product is cut: into blocks of rows by columns, of which a Gram matrix needs the lower ones.
struct ProductBlocks {
    let usesBLAS: Bool
    /// Rows and columns of a block.
    let rows: Int, columns: Int
    /// Blocks of one matrix.
    let count: Int
    private let m: Int, n: Int, isGram: Bool

    init(_ kernel: MatrixProduct) {
        (m, n, isGram) = (kernel.m, kernel.n, kernel.isGram)
        usesBLAS = !kernel.sumsInOrder && (ls_product_is_wide() == 0 || min(m, n) < 4)
        if isGram {
            let edge = n >= 1024 ? 192 : 96
            (rows, columns) = (edge, edge)
            let blocks = (n + edge - 1) / edge
            count = blocks * (blocks + 1) / 2
            return
        }
        // Large blocks pack least; enough of them keep all threads busy.
        var (rows, columns) = (min(256, Self.round(m, 8)), min(768, Self.round(n, 48)))
        while Self.pieces(m, rows) * Self.pieces(n, columns) * kernel.batches < 3 * Parallel.threads {
            if rows * 2 >= columns, rows > 64 {
                rows = Self.round(rows / 2, 8)
            } else if columns > 96 {
                columns = Self.round(columns / 2, 48)
            } else {
                break
            }
        }
        (self.rows, self.columns) = (rows, columns)
        count = Self.pieces(m, rows) * Self.pieces(n, columns)
    }

    /// Elements of working memory of one thread.
    var work: Int {
        Int(ls_product_work(Int64(min(rows, Self.round(m, 8))), Int64(min(columns, Self.round(n, 48)))))
    }

    /// The rows and columns of a block. Long rows of blocks of a Gram matrix come first.
    func block(_ index: Int) -> (Range<Int>, Range<Int>) {
        var (row, column) = (index / Self.pieces(n, columns), index % Self.pieces(n, columns))
        if isGram {
            row = Self.pieces(n, rows) - 1
            column = index
            while column > row {
                column -= row + 1
                row -= 1
            }
        }
        return (
            row * rows..<min(m, (row + 1) * rows), column * columns..<min(n, (column + 1) * columns)
        )
    }

    private static func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / max(1, size) }
    private static func round(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
}

extension Precision {
    /// How `CKernels` names a precision.
    var isWide: Int32 { self == .float64 ? 1 : 0 }
}
