import Planner

/// A batch of large matrix products for processors: both operands are packed into panels first, so that the product
/// reads memory in order. Where the panels of a batch would take too much working memory, they are made and used a
/// slab of rows and a slab of columns at a time.
struct OpenCLPackedMatmul: OpenCLKernel {
    private let kernel: MatrixProduct
    private let target: OpenCLTarget
    /// Rows and columns of a slab, in whole tiles.
    private let slabRows: Int, slabColumns: Int

    /// Nil if the product is too small or too thin for packing to pay.
    init?(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        let style = target.style
        guard !style.hasManyItems, kernel.m >= 64, kernel.n >= 64, kernel.k >= 64,
            kernel.m * kernel.n * kernel.k >= 1 << 23
        else { return nil }
        (self.kernel, self.target) = (kernel, target)
        let width = style.tilePanels * target.lanes
        func round(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
        let most = max(1, style.packLimit / max(1, kernel.k * kernel.batches))
        let rows = round(kernel.m, style.tileRows), columns = round(kernel.n, width)
        let half = max(width, most / 2 / width * width)
        if rows + columns <= most {
            (slabRows, slabColumns) = (rows, columns)
        } else if rows <= half {
            (slabRows, slabColumns) = (rows, max(width, (most - rows) / width * width))
        } else {
            (slabRows, slabColumns) = (
                max(style.tileRows, half / style.tileRows * style.tileRows), min(columns, half)
            )
        }
    }

    var scratch: Int { kernel.batches * kernel.k * (slabRows + slabColumns) }

    func launches(_ memory: StepMemory) -> [Launch] {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        let panelsA = memory.scratch(at: 0), panelsB = memory.scratch(at: kernel.batches * k * slabRows)
        var launches: [Launch] = []
        for row in stride(from: 0, to: m, by: slabRows) {
            let rows = min(slabRows, m - row)
            launches.append(
                pack(
                    memory.operands[0] + row * (kernel.transposeA ? 1 : k), panelsA, lines: rows,
                    byLine: kernel.transposeA ? 1 : k, byTerm: kernel.transposeA ? m : 1, batch: m * k,
                    slab: slabRows, width: target.style.tileRows))
            for column in stride(from: 0, to: n, by: slabColumns) {
                // A Gram matrix needs nothing right of its diagonal.
                if kernel.isGram && column >= row + rows { break }
                let columns = min(slabColumns, n - column)
                launches.append(
                    pack(
                        memory.operands[1] + column * (kernel.transposeB ? k : 1), panelsB, lines: columns,
                        byLine: kernel.transposeB ? k : 1, byTerm: kernel.transposeB ? 1 : n, batch: k * n,
                        slab: slabColumns, width: target.style.tilePanels * target.lanes))
                launches.append(
                    multiply(
                        panelsA, panelsB, memory.result + (row * n + column), rows: rows, columns: columns,
                        isTriangle: kernel.isGram && row == column && slabRows >= m && slabColumns >= n))
            }
        }
        return launches
            + (kernel.isGram ? [OpenCLMatmul.mirror(memory.result, n, kernel.batches, target)] : [])
    }

    private func pack(
        _ from: Buffer, _ to: Buffer, lines: Int, byLine: Int, byTerm: Int, batch: Int, slab: Int, width: Int
    ) -> Launch {
        Launch(
            KernelSource(file: "pack_panels", target, [("WIDTH", width)]), [from, to],
            geometry: [lines, kernel.k, byLine, byTerm, batch, slab * kernel.k],
            items: [(lines + width - 1) / width, (kernel.k + 255) / 256, kernel.batches])
    }

    private func multiply(
        _ a: Buffer, _ b: Buffer, _ c: Buffer, rows: Int, columns: Int, isTriangle: Bool
    ) -> Launch {
        let style = target.style
        let width = style.tilePanels * target.lanes
        // Blocks as large as the caches like, and enough of them for all cores.
        var (blockRows, blockPanels) = (16, 8)
        func blocks(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }
        while blocks(rows, blockRows * style.tileRows) * blocks(columns, blockPanels * width) * kernel.batches
            < 64,
            blockRows > 4
        {
            (blockRows, blockPanels) = (blockRows / 2, blockPanels / 2)
        }
        return Launch(
            KernelSource(
                file: "matmul_packed", target,
                [
                    ("ROWS", style.tileRows), ("PANELS", style.tilePanels), ("V", target.lanes),
                    ("BLOCK_ROWS", blockRows), ("BLOCK_PANELS", blockPanels), ("TERMS", 384),
                ]), [a, b, c],
            geometry: [
                rows, columns, kernel.k, kernel.n, isTriangle ? 1 : 0, slabRows * kernel.k,
                slabColumns * kernel.k,
                kernel.m * kernel.n,
            ],
            items: [
                blocks(rows, blockRows * style.tileRows), blocks(columns, blockPanels * width),
                kernel.batches,
            ])
    }
}
