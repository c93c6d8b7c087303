import CKernels
import Planner

/// A batch of matrix products, or Gram matrices, cut into blocks of rows and columns and into chunks of terms.
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

    /// Elements of working memory.
    static func scratch(_ kernel: MatrixProduct) -> Int { ProductBlocks(kernel).scratch }

    private var bytes: Int { blas.precision.bytes }
    private var lda: Int { kernel.transposeA ? kernel.m : kernel.k }
    private var ldb: Int { kernel.transposeB ? kernel.k : kernel.n }

    func run(_ binding: CPUBinding) {
        if blocks.isSplit { runSplit(binding) } else { runWhole(binding) }
        if kernel.isGram {
            for batch in 0..<kernel.batches { mirror(binding.result + batch * kernel.n * kernel.n * bytes) }
            epilogue?.applyToAll(kernel.batches * kernel.n * kernel.n, binding)
        }
    }

    /// Blocks side by side, each with its chunks one after the other.
    private func runWhole(_ binding: CPUBinding) {
        let loads = epilogue?.operands(binding), n = kernel.n
        Parallel.forEach(kernel.batches * blocks.blocks.count) { index, thread in
            let batch = index / blocks.blocks.count
            let (rows, columns) = blocks.blocks[index % blocks.blocks.count]
            let result = binding.result + batch * kernel.m * n * bytes
            let work = binding.scratch.map { $0 + thread * blocks.work * bytes }
            for chunk in 0..<blocks.chunks {
                if chunk == 0 {
                    product(
                        batch, chunk, rows, columns, binding, into: result + place(rows, columns), row: n,
                        work)
                } else if let work {
                    let part = work + blocks.partOffset * bytes
                    product(batch, chunk, rows, columns, binding, into: part, row: columns.count, work)
                    add(part, columns.count, to: result + place(rows, columns), rows.count, columns.count)
                }
            }
            if let epilogue, let loads, !kernel.isGram {
                for row in rows {
                    let first = (batch * kernel.m + row) * n
                    epilogue.apply(
                        first + columns.lowerBound..<first + columns.upperBound, loads, binding.result)
                }
            }
        }
    }

    /// Chunks of few blocks side by side, then the sums of their parts.
    private func runSplit(_ binding: CPUBinding) {
        guard let scratch = binding.scratch else { preconditionFailure("chunks without working memory") }
        let count = kernel.batches * blocks.blocks.count, size = kernel.batches * kernel.m * kernel.n
        let parts = scratch + Parallel.threads * blocks.work * bytes
        Parallel.forEach(count * blocks.chunks) { index, thread in
            let (chunk, batch) = (index / count, index % count / blocks.blocks.count)
            let (rows, columns) = blocks.blocks[index % blocks.blocks.count]
            let whole = chunk == 0 ? binding.result : parts + (chunk - 1) * size * bytes
            product(
                batch, chunk, rows, columns, binding,
                into: whole + batch * kernel.m * kernel.n * bytes + place(rows, columns), row: kernel.n,
                scratch + thread * blocks.work * bytes)
        }
        let loads = epilogue?.operands(binding)
        Parallel.forRanges(size, grain: max(4096, size / (4 * Parallel.threads))) { range in
            let result = binding.result + range.lowerBound * bytes
            for chunk in 1..<blocks.chunks {
                let part = parts + ((chunk - 1) * size + range.lowerBound) * bytes
                add(part, range.count, to: result, 1, range.count)
            }
            if let epilogue, let loads, !kernel.isGram { epilogue.apply(range, loads, binding.result) }
        }
    }

    private func place(_ rows: Range<Int>, _ columns: Range<Int>) -> Int {
        (rows.lowerBound * kernel.n + columns.lowerBound) * bytes
    }

    private func add(
        _ part: UnsafeRawPointer, _ line: Int, to result: UnsafeMutableRawPointer, _ rows: Int, _ columns: Int
    ) {
        ls_product_add(
            blas.precision.isWide, result, Int64(rows > 1 ? kernel.n : columns), part, Int64(line),
            Int64(rows), Int64(columns))
    }

    /// A block's sums over one chunk of terms, to rows that lie `row` elements apart.
    private func product(
        _ batch: Int, _ chunk: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ binding: CPUBinding,
        into c: UnsafeMutableRawPointer, row: Int, _ work: UnsafeMutableRawPointer?
    ) {
        let first = chunk * blocks.terms, terms = min(blocks.terms, kernel.k - first)
        let (rowA, termA) = kernel.transposeA ? (1, lda) : (lda, 1)
        let (columnB, termB) = kernel.transposeB ? (ldb, 1) : (1, ldb)
        let a =
            binding.operands[0]
            + (batch * kernel.m * kernel.k + rows.lowerBound * rowA + first * termA) * bytes
        let b =
            binding.operands[1]
            + (batch * kernel.k * kernel.n + columns.lowerBound * columnB + first * termB) * bytes
        if blocks.usesBLAS {
            blas.gemm(
                rows.count, columns.count, terms, a, lda, transposeA: kernel.transposeA, b, ldb,
                transposeB: kernel.transposeB, c, row)
            return
        }
        var product = ls_product(
            k: Int64(terms), a_row: Int64(rowA), a_term: Int64(termA), b_column: Int64(columnB),
            b_term: Int64(termB), c_row: Int64(row),
            lower: kernel.isGram ? Int64(rows.lowerBound - columns.lowerBound) : .max)
        ls_product_block(
            blas.precision.isWide, &product, a, b, c, work, Int64(rows.count), Int64(columns.count))
    }

    /// Copies the lower triangle to the upper one, by squares that fit into the cache.
    private func mirror(_ c: UnsafeMutableRawPointer) {
        let n = kernel.n, edge = 64
        func copy<Number>(_: Number.Type) {
            let c = c.assumingMemoryBound(to: Number.self)
            Parallel.forEach((n + edge - 1) / edge) { band, _ in
                let top = band * edge
                for left in stride(from: 0, through: top, by: edge) {
                    for i in top..<min(n, top + edge) {
                        for j in left..<min(i, left + edge) { c[j * n + i] = c[i * n + j] }
                    }
                }
            }
        }
        blas.precision == .float32 ? copy(Float.self) : copy(Double.self)
    }
}

extension Precision {
    /// How `CKernels` names a precision.
    var isWide: Int32 { self == .float64 ? 1 : 0 }
}
