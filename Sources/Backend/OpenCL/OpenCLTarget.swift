import Planner

/// How kernels are cut for a device. A device has one style for good, so its results repeat bit for bit.
struct OpenCLStyle {
    /// Many small items that run together, as graphics processors want; else few items with long vectors.
    var hasManyItems: Bool
    /// Items per group of kernels with one element per item, and of those with one reduction per item.
    var group: Int, reductionGroup: Int
    /// Lanes of a vector in each precision.
    var lanes32: Int, lanes64: Int
    /// Tile of `matmul_columns`: rows, and vectors of columns.
    var rows: Int, panels: Int
    /// Tile of `matmul_dots`.
    var dotRows: Int, dotColumns: Int
    /// Tile of the packed kernels: rows, and vectors of columns.
    var tileRows: Int, tilePanels: Int
    /// Items per group of the matrix kernels.
    var matrixGroup: [Int]
    /// Items of kernels that give every item working memory of its own.
    var workers: Int
    /// When processors pack the operands of products.
    var packing = OpenCLPanelProduct.Packing.whereItPays
    /// Tiles of products in local memory, large ones first; none where local memory is of no use.
    var localTiles: [LocalTile] = []
    /// Bytes of memory that the items of a group share.
    var localMemory = 0
    /// Work is cut into about this many pieces where the results alone are fewer.
    var parallelism: Int
    /// Elements of working memory for the patches of convolutions, unless one image needs more.
    var patchLimit: Int
    /// 64-bit indices even where 32 bits are enough.
    var isAlwaysWide = false

    /// For processors of some cores, whose native vectors have the given lanes.
    static func processor(lanes32: Int, lanes64: Int, cores: Int) -> OpenCLStyle {
        // Sixteen lanes come with 32 registers, fewer with 16.
        let hasManyRegisters = lanes32 == 16
        return OpenCLStyle(
            hasManyItems: false, group: 128, reductionGroup: 16, lanes32: lanes32, lanes64: lanes64,
            rows: hasManyRegisters ? 8 : 4, panels: 2, dotRows: 4, dotColumns: hasManyRegisters ? 4 : 2,
            tileRows: hasManyRegisters ? 8 : 4, tilePanels: 2, matrixGroup: [1, 1],
            // More items than cores even out what they do; each costs memory.
            workers: max(cores, min(4 * cores, 32)), parallelism: 64, patchLimit: 1 << 21)
    }

    /// For graphics processors.
    static let graphics = OpenCLStyle(
        hasManyItems: true, group: 128, reductionGroup: 64, lanes32: 4, lanes64: 4, rows: 4, panels: 1,
        dotRows: 4, dotColumns: 4, tileRows: 8, tilePanels: 1, matrixGroup: [16, 4], workers: 1,
        localTiles: [
            LocalTile(edge: 128, itemRows: 8, itemColumns: 8),
            LocalTile(edge: 64, itemRows: 8, itemColumns: 4),
            LocalTile(edge: 32, itemRows: 4, itemColumns: 4),
        ], parallelism: 4096, patchLimit: 1 << 25)

    /// This style with groups of at most `limit` items that share at most `localMemory` bytes.
    func limited(to limit: Int, localMemory: Int) -> OpenCLStyle {
        func largest(_ size: Int) -> Int {
            var size = size
            while size > max(1, limit) { size /= 2 }
            return size
        }
        var style = self
        style.localTiles = localTiles.filter { $0.items <= limit }
        style.localMemory = localMemory
        style.group = largest(group)
        style.reductionGroup = largest(reductionGroup)
        style.matrixGroup[0] = largest(matrixGroup[0])
        style.matrixGroup[1] = min(matrixGroup[1], max(1, limit / style.matrixGroup[0]))
        return style
    }
}

/// What kernels are made for: a precision, a style, and how wide indices must be.
struct OpenCLTarget {
    var precision: Precision
    var style: OpenCLStyle
    var isWide: Bool

    /// Lanes of a vector.
    var lanes: Int { precision == .float32 ? style.lanes32 : style.lanes64 }

    /// A divisor as kernels read it: the number, and the magic number and shift that replace the division of
    /// any non-negative 32-bit integer by it (Granlund and Montgomery 1994).
    func divisor(_ number: Int) -> [Int] {
        if isWide || number < 1 { return [number, 0, 0] }
        let bits = number == 1 ? 0 : Int.bitWidth - (number - 1).leadingZeroBitCount
        let magic = UInt32(truncatingIfNeeded: (1 << (31 + bits)) / number + 1)
        return [number, Int(Int32(bitPattern: magic)), 31 + bits]
    }
}
