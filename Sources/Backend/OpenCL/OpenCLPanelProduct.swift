import Planner

/// A batch of matrix products on a processor: few work-items, which multiply blocks of packed operands. An operand that
/// several blocks share is packed once, before, where memory allows; else every item packs what its block needs into
/// working memory of its own, which stays in the nearest caches.
struct OpenCLPanelProduct: OpenCLKernel {
    private let kernel: MatrixProduct
    private let target: OpenCLTarget
    /// Rows and columns of a block, and how many of them one matrix has.
    private let rows: Int, columns: Int, blocks: Int
    /// Parts of the terms that are summed apart, and terms in each.
    private let slices: Int
    private let termsPerSlice: Int
    /// Only the lower triangle of a Gram matrix.
    private let isTriangle: Bool
    private let left: Side, right: Side

    /// When products are packed.
    enum Packing { case whereItPays, always }

    /// An operand: its lines (rows of a, columns of b), lines of a panel, and distances.
    private struct Side {
        var lines: Int, width: Int
        var byLine: Int, byTerm: Int, byMatrix: Int
        /// Whether it is packed once for all blocks.
        var isShared = false

        /// Lines of all panels.
        var wholeLines: Int { tiles(lines, width) * width }
        var distances: [Int] { [byLine, byTerm, byMatrix] }
    }

    /// Terms that are packed and summed at a time: two panels of them stay in the nearest cache.
    private static let depth = 384
    /// Elements of an operand that is packed once: more do not stay in any cache.
    private static let mostShared = 3 << 20

    init?(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        guard Self.suits(kernel, target) else { return nil }
        (self.kernel, self.target) = (kernel, target)
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        var left = Side(
            lines: m, width: target.style.tileRows, byLine: kernel.transposeA ? 1 : k,
            byTerm: kernel.transposeA ? m : 1, byMatrix: m * k)
        var right = Side(
            lines: n, width: target.style.tilePanels * target.lanes, byLine: kernel.transposeB ? k : 1,
            byTerm: kernel.transposeB ? 1 : n, byMatrix: k * n)
        func round(_ count: Int, _ unit: Int) -> Int { tiles(count, unit) * unit }
        func canBeShared(_ side: Side) -> Bool { kernel.batches * side.wholeLines * k <= Self.mostShared }

        // With few terms the time is that of storing, which wants rows that lie near each other.
        var down = tiles(m, k < 32 ? 64 : 256), across = tiles(n, 768)
        var rows: Int { round(tiles(m, down), left.width) }
        var columns: Int { round(tiles(n, across), right.width) }
        func runs() -> Int { tiles(m, rows) * tiles(n, columns) * kernel.batches }
        // Enough work for all: from parts of long sums, else from smaller blocks. These pack more, unless they share.
        let workers = target.style.workers
        let depths = tiles(k, Self.depth)
        let isCut = !kernel.sumsInOrder && depths >= workers && runs() < workers
        let wanted = isCut ? tiles(workers, runs()) : 1
        let least = canBeShared(left) && canBeShared(right) ? 2 * workers : workers
        while wanted == 1, runs() < least {
            // What is cut along one side only packs the other operand where it is used.
            let (canFall, canNarrow) = (rows > 64, columns > 2 * right.width)
            if !canFall && !canNarrow { break }
            let falls = down == 1 ? across == 1 && m >= n : across == 1 || rows * 2 > columns
            if canFall && (falls || !canNarrow) { down *= 2 } else { across *= 2 }
        }
        termsPerSlice = tiles(depths, wanted) * Self.depth
        slices = tiles(k, termsPerSlice)
        isTriangle = kernel.isGram && slices == 1 && tiles(m, rows) > 1
        if isTriangle {
            let edge = round(min(rows, columns), right.width)
            (self.rows, self.columns) = (edge, edge)
            down = tiles(m, edge)
            blocks = down * (down + 1) / 2
        } else {
            (self.rows, self.columns) = (rows, columns)
            blocks = tiles(m, rows) * tiles(n, columns)
        }
        left.isShared = self.columns < n && self.rows % left.width == 0 && canBeShared(left)
        right.isShared = self.rows < m && canBeShared(right)
        (self.left, self.right) = (left, right)
    }

    /// Whether packing pays. It does not where every packed element is used a few times only, unless vectors of columns
    /// do not fit otherwise, nor where both operands are small enough to stay in the caches.
    private static func suits(_ kernel: MatrixProduct, _ target: OpenCLTarget) -> Bool {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        if target.style.hasManyItems || k == 0 || m * n * kernel.batches == 0 { return false }
        if target.style.packing == .always || kernel.sumsInOrder { return true }
        let hasDots = !kernel.transposeA && kernel.transposeB
        if m * n < 30 * (m + n) { return n < target.lanes && m >= target.lanes && n > 1 && !hasDots }
        return k < 32 || n < 2 * target.lanes || m * n * k >= 1 << 23
    }

    private var runs: Int { kernel.batches * slices * blocks }
    private var workers: Int { min(target.style.workers, runs) }
    private var depth: Int { min(Self.depth, kernel.k) }
    /// Elements of working memory of one item.
    private var itemCount: Int {
        let lines = (left.isShared ? 0 : rows + left.width) + (right.isShared ? 0 : columns)
        return aligned(lines * depth)
    }
    /// Elements of the panels of an operand that is packed once.
    private func panelCount(_ side: Side) -> Int {
        side.isShared ? aligned(kernel.batches * side.wholeLines * kernel.k) : 0
    }

    private var count: Int { kernel.batches * kernel.m * kernel.n }
    /// Elements of the results of all slices, where there are several.
    private var partialCount: Int { slices > 1 ? aligned(slices * count) : 0 }
    /// Elements of what is packed once.
    private var sharedCount: Int { panelCount(left) + panelCount(right) }

    var scratch: Int { partialCount + sharedCount + workers * itemCount }

    func launches(_ memory: StepMemory) -> [Launch] {
        let work = memory.scratch(at: partialCount)
        let result = slices > 1 ? memory.scratch(at: 0) : memory.result
        var launches: [Launch] = []
        if sharedCount > 0 { launches.append(pack(memory.operands[0], memory.operands[1], work)) }
        launches.append(multiply(memory.operands[0], memory.operands[1], result, work: work))
        if slices > 1 {
            launches.append(OpenCLReduce.combine(result, memory.result, count, slices, .sum, target))
        }
        if isTriangle {
            launches.append(OpenCLMatmul.mirror(memory.result, kernel.n, kernel.batches, target))
        }
        return launches
    }

    /// Packs what blocks share.
    private func pack(_ a: Buffer, _ b: Buffer, _ panels: Buffer) -> Launch {
        let chunks = tiles(kernel.k, depth), sheets = kernel.batches * chunks
        // Enough pieces for all. Lines that lie next to each other are read along.
        let wanted = tiles(2 * target.style.workers, sheets)
        var geometry = [kernel.k, chunks, depth], runs = 0
        for (side, begin) in [(left, 0), (right, panelCount(left))] {
            let piece = tiles(tiles(side.lines, side.width), wanted) * side.width
            let pieces = tiles(side.lines, piece)
            geometry += [side.isShared ? sheets * pieces : 0, pieces, piece, side.lines, side.wholeLines]
            geometry += [side.width, begin] + side.distances
            if side.isShared { runs += sheets * pieces }
        }
        return Launch(
            KernelSource(file: "product_pack", using: ["rotate", "pack"], target), [a, b, panels],
            geometry: geometry, items: [min(target.style.workers, runs)])
    }

    /// The product itself. The results of slices lie one after the other, each a whole result.
    private func multiply(_ a: Buffer, _ b: Buffer, _ c: Buffer, work: Buffer) -> Launch {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        let source = KernelSource(
            tiled: "product", target,
            [("ROWS", target.style.tileRows), ("PANELS", target.style.tilePanels), ("V", target.lanes)])
        var geometry = [
            m, n, k, rows, columns, tiles(n, columns), blocks, slices, termsPerSlice, runs, depth, itemCount,
            isTriangle ? 1 : 0,
        ]
        geometry += left.distances + right.distances + [n, 1, m * n, kernel.batches * m * n, sharedCount]
        geometry += [left.isShared ? 0 : -1, left.wholeLines]
        geometry += [right.isShared ? panelCount(left) : -1, right.wholeLines]
        return Launch(
            source, [a, b, c, work], geometry: geometry, items: [workers], finish: .runs)
    }
}
