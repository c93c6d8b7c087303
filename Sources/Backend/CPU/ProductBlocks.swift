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
    /// Whether all operands are packed before the blocks, `packedTerms` terms at a time.
    let isPacked: Bool, packedTerms: Int
    /// Blocks of one matrix: rows and columns of each.
    let blocks: [(rows: Range<Int>, columns: Range<Int>)]
    private let rows: Int, columns: Int
    private let partElements: Int

    /// Terms after which a sum begins anew.
    private static let longest = 4096
    /// Elements of the parts of all chunks that memory is given to.
    private static let mostParts = 1 << 23
    /// Elements of both operands that are packed together.
    private static let mostPacked = 3 << 20
    /// Terms of a packed block, which chunks do not cut.
    private static let unit = Int(ls_product_terms())

    init(_ kernel: MatrixProduct) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        usesBLAS = !kernel.sumsInOrder && (ls_product_is_wide() == 0 || min(m, n) < 4)
        let wanted = max(1, Self.pieces(k, Self.longest))
        terms = max(1, Self.round(Self.pieces(k, wanted), Self.unit))
        chunks = max(1, Self.pieces(k, terms))
        let needed = 3 * Parallel.threads
        packedTerms = Self.packedTerms(m, n, terms)
        // Operands that all blocks share are packed once, and blocks may be small: that keeps threads busy. Longer sums are
        // cut into chunks instead.
        if !usesBLAS, min(m, n, k) >= 96, packedTerms > 0, chunks == 1 {
            let found = Self.cut(kernel, (256, 384), least: 2 * needed, sideBySide: 1)
            if found.count >= 2 * needed {
                (isPacked, isSplit, blocks, rows, columns) = (true, false, found, 0, 0)
                partElements = 0
                return
            }
        }
        isPacked = false
        let parts = (chunks - 1) * kernel.batches * m * n, fits = chunks > 1 && parts <= Self.mostParts
        blocks = Self.cut(
            kernel, (384, 768), least: needed, sideBySide: kernel.batches * (fits ? chunks : 1))
        rows = Self.round(blocks.reduce(0) { max($0, $1.rows.count) }, 8)
        columns = Self.round(blocks.reduce(0) { max($0, $1.columns.count) }, 48)
        isSplit = fits && !blocks.isEmpty && blocks.count * kernel.batches < 2 * needed
        partElements = isSplit ? parts : 0
    }

    /// Terms of both operands that are packed together: as many as fit into the cache, in whole packed blocks.
    private static func packedTerms(_ m: Int, _ n: Int, _ terms: Int) -> Int {
        min(mostPacked / max(1, round(m, 8) + round(n, 48)) / unit * unit, terms)
    }

    /// Lines of the packed operands.
    func packedLines(_ kernel: MatrixProduct) -> (left: Int, right: Int) {
        (Self.round(kernel.m, 8), Self.round(kernel.n, 48))
    }

    /// Blocks of nearly one size, smaller than the largest one until there are enough. Large ones pack least.
    private static func cut(
        _ kernel: MatrixProduct, _ largest: (rows: Int, columns: Int), least: Int, sideBySide: Int
    ) -> [(rows: Range<Int>, columns: Range<Int>)] {
        let (m, n) = (kernel.m, kernel.n)
        if m * n == 0 { return [] }
        var (rows, columns) = (min(largest.rows, round(m, 8)), min(largest.columns, round(n, 48)))
        while true {
            let blocks = cut(m, n, rows, columns, kernel.isGram)
            if blocks.count * sideBySide >= least { return blocks }
            if rows * 2 >= columns, rows > 64 {
                rows = round(rows / 2, 8)
            } else if columns > 96 {
                columns = round(columns / 2, 48)
            } else {
                return blocks
            }
        }
    }

    /// Elements of working memory of one thread: packed operands, and the part of a chunk.
    var work: Int {
        if isPacked { return 0 }
        let packed = usesBLAS ? 0 : Int(ls_product_work(Int64(rows), Int64(columns)))
        return packed + (chunks > 1 && !isSplit ? rows * columns : 0)
    }

    /// Where a thread's part of a chunk begins in its working memory.
    var partOffset: Int { usesBLAS ? 0 : Int(ls_product_work(Int64(rows), Int64(columns))) }

    /// Elements of working memory: of all threads or of packed operands, followed by parts of chunks.
    func scratch(_ kernel: MatrixProduct) -> Int {
        let lines = packedLines(kernel)
        return (isPacked ? (lines.left + lines.right) * packedTerms : Parallel.threads * work) + partElements
    }

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
