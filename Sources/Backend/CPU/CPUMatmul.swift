import CKernels
import Planner

/// A batch of matrix products, or Gram matrices, cut into blocks of rows and columns and into chunks of terms.
///
/// Where vectors are long our own kernel is faster than OpenBLAS, which knows fewer processors; OpenBLAS does the
/// rest, and products too thin for a tile. How our kernel's products are cut never changes the order of their sums.
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
    static func scratch(_ kernel: MatrixProduct) -> Int { ProductBlocks(kernel).scratch(kernel) }

    private var bytes: Int { blas.precision.bytes }
    private var lda: Int { kernel.transposeA ? kernel.m : kernel.k }
    private var ldb: Int { kernel.transposeB ? kernel.k : kernel.n }

    func run(_ binding: CPUBinding) {
        if blocks.isPacked {
            for batch in 0..<kernel.batches { runPacked(batch, binding) }
        } else if blocks.isSplit {
            runSplit(binding)
        } else {
            runWhole(binding)
        }
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
                epilogue.apply(rows, columns, width: n, from: batch * kernel.m * n, loads, binding.result)
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

    /// Both operands packed for all blocks, some terms at a time, then the blocks side by side.
    private func runPacked(_ batch: Int, _ binding: CPUBinding) {
        guard let scratch = binding.scratch else { preconditionFailure("nowhere to pack") }
        let lines = blocks.packedLines(kernel), size = kernel.m * kernel.n, unit = Int(ls_product_terms())
        let left = scratch, right = scratch + lines.left * blocks.packedTerms * bytes
        let result = binding.result + batch * size * bytes
        let loads = kernel.isGram ? nil : epilogue?.operands(binding)
        for first in stride(from: 0, to: kernel.k, by: blocks.packedTerms) {
            let last = min(kernel.k, first + blocks.packedTerms)
            pack(batch, first..<last, unit, binding, left, lines.left, right, lines.right)
            Parallel.forEach(blocks.blocks.count) { index, _ in
                let (rows, columns) = blocks.blocks[index]
                var product = ls_product(
                    k: Int64(last - first), a_row: 0, a_term: 0, b_column: 0, b_term: 0,
                    c_row: Int64(kernel.n), lower: lower(rows, columns))
                ls_product_packed(
                    blas.precision.isWide, &product, left, Int64(lines.left), right, Int64(lines.right),
                    Int64(rows.lowerBound), Int64(rows.count), Int64(columns.lowerBound),
                    Int64(columns.count), result + place(rows, columns), first > 0 ? 1 : 0)
                guard let epilogue, let loads, last == kernel.k else { return }
                epilogue.apply(rows, columns, width: kernel.n, from: batch * size, loads, binding.result)
            }
        }
    }

    /// Packs some terms of all rows and columns, block of terms by block of terms.
    private func pack(
        _ batch: Int, _ terms: Range<Int>, _ unit: Int, _ binding: CPUBinding,
        _ left: UnsafeMutableRawPointer, _ leftLines: Int, _ right: UnsafeMutableRawPointer, _ rightLines: Int
    ) {
        // Whole panels of both sides.
        let piece = 96, pieces = (kernel.m + piece - 1) / piece, others = (kernel.n + piece - 1) / piece
        let (rowA, termA) = kernel.transposeA ? (1, lda) : (lda, 1)
        let (columnB, termB) = kernel.transposeB ? (ldb, 1) : (1, ldb)
        let a = binding.operands[0] + batch * kernel.m * kernel.k * bytes
        let b = binding.operands[1] + batch * kernel.k * kernel.n * bytes
        let count = (terms.count + unit - 1) / unit
        Parallel.forEach(count * (pieces + others)) { index, _ in
            let first = index % count * unit, here = min(unit, terms.count - first)
            let place = index / count, isRight = place >= pieces
            let line = (isRight ? place - pieces : place) * piece
            let lines = min(piece, (isRight ? kernel.n : kernel.m) - line)
            let (by, step) = isRight ? (columnB, termB) : (rowA, termA)
            let source =
                (isRight ? b : a) + (line * by + (terms.lowerBound + first) * step) * bytes
            let target =
                (isRight ? right + first * rightLines * bytes : left + first * leftLines * bytes)
                + line * here * bytes
            ls_product_pack(
                blas.precision.isWide, isRight ? 1 : 0, source, Int64(by), Int64(step), Int64(lines),
                Int64(here), target)
        }
    }

    /// Where a block of a Gram matrix lies relative to the diagonal; so far below it that all counts, if it is none.
    private func lower(_ rows: Range<Int>, _ columns: Range<Int>) -> Int64 {
        kernel.isGram ? Int64(rows.lowerBound - columns.lowerBound) : .max
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
            lower: lower(rows, columns))
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
