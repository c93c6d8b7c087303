import CKernels
import Planner

/// How a product is cut: into blocks of rows by columns, of which a Gram matrix needs the lower ones, and into chunks of
/// terms. The chunks depend on the number of terms alone, so the order of every sum does.
struct ProductBlocks {
    let usesBLAS: Bool
    /// Chunks of terms, whose sums are added up in order, and the terms of each but the last.
    let chunks: Int, terms: Int
    /// Whether chunks are computed side by side, because there are few blocks; else one after the other.
    let isSplit: Bool
    /// Blocks of one matrix: rows and columns of each.
    let blocks: [(rows: Range<Int>, columns: Range<Int>)]
    private let rows: Int, columns: Int
    private let partElements: Int

    /// Terms after which a sum begins anew.
    private static let longest = 16_384
    /// Elements of the parts of all chunks that memory is given to.
    private static let mostParts = 1 << 22
    /// Terms of a packed block, which chunks do not cut.
    private static let unit = 384

    init(_ kernel: MatrixProduct) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        usesBLAS = !kernel.sumsInOrder && (ls_product_is_wide() == 0 || min(m, n) < 4)
        let wanted = max(1, Self.pieces(k, Self.longest))
        terms = max(1, Self.round(Self.pieces(k, wanted), Self.unit))
        chunks = max(1, Self.pieces(k, terms))
        let parts = (chunks - 1) * kernel.batches * m * n, fits = chunks > 1 && parts <= Self.mostParts
        // Large blocks pack least; enough of them keep all threads busy.
        var (rows, columns) = (min(256, Self.round(m, 8)), min(768, Self.round(n, 48)))
        let needed = 3 * Parallel.threads, sideBySide = kernel.batches * (fits ? chunks : 1)
        while Self.count(m, n, rows, columns, kernel.isGram) * sideBySide < needed {
            if rows * 2 >= columns, rows > 64 {
                rows = Self.round(rows / 2, 8)
            } else if columns > 96 {
                columns = Self.round(columns / 2, 48)
            } else {
                break
            }
        }
        (self.rows, self.columns) = (rows, columns)
        blocks = Self.cut(m, n, rows, columns, kernel.isGram)
        isSplit = fits && blocks.count * kernel.batches < 2 * needed
        partElements = isSplit ? parts : 0
    }

    /// Elements of working memory of one thread: packed operands, and the part of a chunk.
    var work: Int {
        let packed = usesBLAS ? 0 : Int(ls_product_work(Int64(rows), Int64(columns)))
        return packed + (chunks > 1 && !isSplit ? rows * columns : 0)
    }

    /// Where a thread's part of a chunk begins in its working memory.
    var partOffset: Int { usesBLAS ? 0 : Int(ls_product_work(Int64(rows), Int64(columns))) }

    /// Elements of working memory of all threads, followed by the parts of all chunks but the first.
    var scratch: Int { Parallel.threads * work + partElements }

    /// The blocks of a matrix. Long rows of blocks of a Gram matrix come first.
    private static func cut(
        _ m: Int, _ n: Int, _ rows: Int, _ columns: Int, _ isGram: Bool
    ) -> [(rows: Range<Int>, columns: Range<Int>)] {
        let starts = Array(stride(from: 0, to: m, by: rows))
        return (isGram ? starts.reversed() : starts).flatMap { row in
            let end = min(m, row + rows), width = isGram ? end : n
            return stride(from: 0, to: width, by: columns).map {
                (row..<end, $0..<min(width, $0 + columns))
            }
        }
    }

    private static func count(_ m: Int, _ n: Int, _ rows: Int, _ columns: Int, _ isGram: Bool) -> Int {
        if !isGram { return pieces(m, rows) * pieces(n, columns) }
        return stride(from: 0, to: m, by: rows).reduce(0) { $0 + pieces(min(m, $1 + rows), columns) }
    }

    private static func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / max(1, size) }
    private static func round(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
}
