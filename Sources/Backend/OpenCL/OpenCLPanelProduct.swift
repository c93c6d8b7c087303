import Planner

/// A batch of matrix products on a processor: few work-items, each with working memory of its own in which it
/// packs blocks of both operands.
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

    /// When products are packed.
    enum Packing { case whereItPays, always }

    /// Terms that are packed and summed at a time: two panels of them stay in the nearest cache.
    private static let depth = 384

    init?(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        guard Self.suits(kernel, target) else { return nil }
        (self.kernel, self.target) = (kernel, target)
        let (tileRows, tileColumns) = (target.style.tileRows, target.style.tilePanels * target.lanes)
        let workers = target.style.workers
        func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }
        func round(_ count: Int, _ unit: Int) -> Int { pieces(count, unit) * unit }

        // With few terms the time is that of storing, which wants rows that lie near each other.
        let mostRows = kernel.k < 32 ? 64 : 256
        var (rows, columns) = (
            min(mostRows, round(kernel.m, tileRows)), min(768, round(kernel.n, tileColumns))
        )
        func runs() -> Int { pieces(kernel.m, rows) * pieces(kernel.n, columns) * kernel.batches }
        // Enough work for all: from parts of long sums, else from smaller blocks, which pack more.
        let depths = pieces(kernel.k, Self.depth)
        let isCut = !kernel.sumsInOrder && depths >= workers && runs() < workers
        let wanted = isCut ? pieces(workers, runs()) : 1
        while wanted == 1, runs() < workers {
            if rows * 2 >= columns, rows > 64 {
                rows = round(rows / 2, tileRows)
            } else if columns > 2 * tileColumns {
                columns = round(columns / 2, tileColumns)
            } else {
                break
            }
        }
        // Blocks of one size, as near as can be.
        let down = pieces(kernel.m, rows), across = pieces(kernel.n, columns)
        rows = round(pieces(kernel.m, down), tileRows)
        columns = round(pieces(kernel.n, across), tileColumns)
        termsPerSlice = pieces(depths, wanted) * Self.depth
        slices = pieces(kernel.k, termsPerSlice)
        isTriangle = kernel.isGram && slices == 1 && down > 1
        if isTriangle {
            let edge = round(min(rows, columns), tileColumns)
            (rows, columns) = (edge, edge)
            let down = pieces(kernel.m, edge)
            blocks = down * (down + 1) / 2
        } else {
            blocks = down * across
        }
        (self.rows, self.columns) = (rows, columns)
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
    /// Elements of working memory of one item, in whole cache lines.
    private var itemCount: Int {
        let columns = target.style.tilePanels * target.lanes
        let (left, right) = (rows + target.style.tileRows, (self.columns + columns - 1) / columns * columns)
        return ((left + right) * depth + 63) / 64 * 64
    }

    private var count: Int { kernel.batches * kernel.m * kernel.n }
    /// Elements of the results of all slices, where there are several.
    private var partialCount: Int { slices > 1 ? (slices * count + 63) / 64 * 64 : 0 }

    var scratch: Int { partialCount + workers * itemCount }

    func launches(_ memory: StepMemory) -> [Launch] {
        let result = slices > 1 ? memory.scratch(at: 0) : memory.result
        var launches = [
            multiply(
                memory.operands[0], memory.operands[1], result, work: memory.scratch(at: partialCount))
        ]
        if slices > 1 {
            launches.append(OpenCLReduce.combine(result, memory.result, count, slices, .sum, target))
        }
        if isTriangle {
            launches.append(OpenCLMatmul.mirror(memory.result, kernel.n, kernel.batches, target))
        }
        return launches
    }

    /// The product itself. The results of slices lie one after the other, each a whole result.
    private func multiply(_ a: Buffer, _ b: Buffer, _ c: Buffer, work: Buffer) -> Launch {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        let source = KernelSource(
            tiled: "product", target,
            [("ROWS", target.style.tileRows), ("PANELS", target.style.tilePanels), ("V", target.lanes)])
        var geometry = [
            m, n, k, rows, columns, (n + columns - 1) / columns, blocks, slices, termsPerSlice, runs, depth,
            itemCount, isTriangle ? 1 : 0,
        ]
        geometry += kernel.transposeA ? [1, m, m * k] : [k, 1, m * k]
        geometry += kernel.transposeB ? [k, 1, k * n] : [1, n, k * n]
        geometry += [n, 1, m * n, kernel.batches * m * n]
        return Launch(
            source, [a, b, c, work], geometry: geometry, items: [workers], finish: .runs)
    }
}
