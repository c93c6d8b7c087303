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
    private static let longest = 4096
    /// Elements of the parts of all chunks that memory is given to.
    private static let mostParts = 1 << 23
    /// Terms of a packed block, which chunks do not cut.
    private static let unit = 384

    init(_ kernel: MatrixProduct) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        usesBLAS = !kernel.sumsInOrder && (ls_product_is_wide() == 0 || min(m, n) < 4)
        let wanted = max(1, Self.pieces(k, Self.longest))
        terms = max(1, Self.round(Self.pieces(k, wanted), Self.unit))
        chunks = max(1, Self.pieces(k, terms))
        let parts = (chunks - 1) * kernel.batches * m * n, fits = chunks > 1 && parts <= Self.mostParts
        // Large blocks pack least; enough of them, of nearly one size, keep all threads busy.
        var (rows, columns) = (min(384, Self.round(m, 8)), min(768, Self.round(n, 48)))
        let needed = 3 * Parallel.threads, sideBySide = kernel.batches * (fits ? chunks : 1)
        while Self.cut(m, n, rows, columns, kernel.isGram).count * sideBySide < needed {
            if rows * 2 >= columns, rows > 64 {
                rows = Self.round(rows / 2, 8)
            } else if columns > 96 {
                columns = Self.round(columns / 2, 48)
            } else {
                break
            }
        }
        blocks = Self.cut(m, n, rows, columns, kernel.isGram)
        rows = Self.round(blocks.reduce(0) { max($0, $1.rows.count) }, 8)
        columns = Self.round(blocks.reduce(0) { max($0, $1.columns.count) }, 48)
        (self.rows, self.columns) = (rows, columns)
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

    /// Blocks of at most about this many rows and columns. Those of a Gram matrix end at its diagonal.
    private static func cut(
        _ m: Int, _ n: Int, _ rows: Int, _ columns: Int, _ isGram: Bool
    ) -> [(rows: Range<Int>, columns: Range<Int>)] {
        ends(m, rows, isGram).flatMap { band in
            let width = isGram ? band.upperBound : n
            let columns = round(pieces(width, pieces(width, columns)), 48)
            return stride(from: 0, to: width, by: columns).map { (band, $0..<min(width, $0 + columns)) }
        }
    }

    /// Bands of rows: of one size, or where there are few below a diagonal, of one area.
    private static func ends(_ m: Int, _ rows: Int, _ isGram: Bool) -> [Range<Int>] {
        let count = pieces(m, rows)
        var edges = [0]
        for band in 1..<max(1, count) {
            let share = Double(band) / Double(count)
            let edge = Double(m) * (isGram && count <= 4 ? share.squareRoot() : share)
            edges.append(min(m, round(Int(edge.rounded(.up)), 8)))
        }
        edges.append(m)
        let bands = zip(edges, edges.dropFirst()).filter { $0 < $1 }.map { $0..<$1 }
        return isGram ? bands.reversed() : bands
    }

    private static func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / max(1, size) }
    private static func round(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
}
