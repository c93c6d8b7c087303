import Planner

/// The part of a product that one group of a graphics processor computes, see `matmul_local`.
struct LocalTile: Hashable {
    /// Rows, and as many columns.
    var edge: Int
    /// Terms that are copied to local memory at a time.
    var depth = 8
    /// Rows and columns of one item's results.
    var itemRows: Int, itemColumns: Int

    /// Items of a group.
    var items: Int { edge / itemRows * (edge / itemColumns) }

    /// Bytes of local memory: two steps of both operands, every line with a quad to spare.
    func bytes(_ precision: Precision) -> Int { 2 * 2 * depth * (edge + 4) * precision.bytes }
}

/// A batch of matrix products for graphics processors: groups of items share what they read in local memory.
struct OpenCLLocalMatmul: OpenCLKernel {
    private let kernel: MatrixProduct
    private let target: OpenCLTarget
    private let tile: LocalTile

    /// Groups that keep a large device busy.
    private static let manyGroups = 256
    /// Terms that are summed in registers before they are added to the result.
    private static let flushedTerms = 2048

    /// Nil if the product has too few results for groups to fill the device, or too few terms to share.
    init?(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        func groups(_ tile: LocalTile) -> Int {
            Self.pieces(kernel.m, tile.edge) * Self.pieces(kernel.n, tile.edge) * kernel.batches
        }
        let tiles = target.style.localTiles.filter { $0.bytes(target.precision) <= target.style.localMemory }
        guard kernel.k >= 4, min(kernel.m, kernel.n) >= 8, let smallest = tiles.last else { return nil }
        // The largest tile that keeps the device busy reads least.
        let tile = tiles.first { groups($0) >= Self.manyGroups } ?? smallest
        guard groups(tile) * tile.items >= target.style.parallelism else { return nil }
        (self.kernel, self.target, self.tile) = (kernel, target, tile)
    }

    func launches(_ memory: StepMemory) -> [Launch] {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        var macros: [(String, Int?)] = [
            ("EDGE", tile.edge), ("DEPTH", tile.depth), ("ITEM_ROWS", tile.itemRows),
            ("ITEM_COLUMNS", tile.itemColumns), ("FLUSH", Self.flushedTerms / tile.depth),
        ]
        if !kernel.transposeA { macros.append(("A_TERMS", nil)) }
        if kernel.transposeB { macros.append(("B_TERMS", nil)) }
        let isTriangle = kernel.isGram && m > tile.edge
        let group = [tile.edge / tile.itemColumns, tile.edge / tile.itemRows]
        let launch = Launch(
            KernelSource(file: "matmul_local", target, macros),
            [memory.operands[0], memory.operands[1], memory.result],
            geometry: [
                m, n, k, isTriangle ? 1 : 0,
                kernel.transposeA ? 1 : k, kernel.transposeA ? m : 1, m * k,
                kernel.transposeB ? k : 1, kernel.transposeB ? 1 : n, k * n, n, m * n,
            ],
            items: [
                Self.pieces(n, tile.edge) * group[0], Self.pieces(m, tile.edge) * group[1], kernel.batches,
            ], group: group)
        return isTriangle
            ? [launch, OpenCLMatmul.mirror(memory.result, n, kernel.batches, target)] : [launch]
    }

    private static func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }
}
