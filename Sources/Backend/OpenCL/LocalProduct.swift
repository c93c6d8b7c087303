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

    /// Tiles of one matrix.
    func count(_ m: Int, _ n: Int) -> Int { (m + edge - 1) / edge * ((n + edge - 1) / edge) }
}

/// A batch of products of operands read through local memory, as `matmul_local` takes them.
struct LocalProduct {
    /// Distances of an operand: between its lines (rows of a, columns of b), terms, segments and batches.
    struct Side {
        var line = 0, term = 0, segment = 0
        var outer = 0, inner = 0
        /// Whether terms are neighbours in memory, rather than lines.
        var hasNearTerms: Bool
    }
    /// Distances of the result.
    struct Output {
        var row: Int, column = 1
        var slice = 0
        var outer = 0, inner = 0
    }
    /// Lists in place of distances: of every term of a and b, of every column of b and c.
    struct Tables {
        var termsOfA: [Int], termsOfB: [Int], columnsOfB: [Int], columnsOfC: [Int]
    }

    var m: Int, n: Int
    /// Terms of a segment.
    var terms: Int
    var segments = 1, segmentsPerSlice = 1
    /// Batches are numbered outer·inners + inner.
    var batches: Int, inners = 1
    var a: Side, b: Side, c: Output
    var tables: Tables?
    var isTriangle = false

    var slices: Int { (segments + segmentsPerSlice - 1) / max(1, segmentsPerSlice) }

    /// Groups that keep a large device busy.
    private static let manyGroups = 256
    /// Terms that are summed in registers before they are added to the result.
    private static let flushedTerms = 2048

    /// The tile that suits the product best, nil if its groups cannot fill the device or have too little to share.
    func tile(_ target: OpenCLTarget) -> LocalTile? {
        let tiles = target.style.localTiles.filter { $0.bytes(target.precision) <= target.style.localMemory }
        func groups(_ tile: LocalTile) -> Int { tile.count(m, n) * batches * slices }
        // Large tiles read less for what they compute, and waste more at the edges.
        func cost(_ tile: LocalTile) -> Double {
            Double(tile.count(m, n) * tile.edge * tile.edge) * (1 + 32 / Double(tile.edge))
        }
        let busy = tiles.filter { groups($0) >= Self.manyGroups }
        let best = busy.min { cost($0) < cost($1) } ?? tiles.last
        guard let best, terms * segments >= 4, min(m, n) >= 8,
            groups(best) * best.items >= target.style.parallelism
        else { return nil }
        return best
    }

    /// The launch with a tile.
    func launch(_ buffers: [Buffer], _ tile: LocalTile, _ target: OpenCLTarget) -> Launch {
        var macros: [(String, Int?)] = [
            ("EDGE", tile.edge), ("DEPTH", tile.depth), ("ITEM_ROWS", tile.itemRows),
            ("ITEM_COLUMNS", tile.itemColumns), ("FLUSH", Self.flushedTerms / tile.depth),
        ]
        if a.hasNearTerms { macros.append(("A_TERMS", nil)) }
        if b.hasNearTerms { macros.append(("B_TERMS", nil)) }
        if tables != nil { macros.append(("TABLES", nil)) }
        var geometry = [m, n, terms, segments, segmentsPerSlice, slices, inners, isTriangle ? 1 : 0]
        for side in [a, b] { geometry += [side.line, side.term, side.segment, side.outer, side.inner] }
        geometry += [c.row, c.column, c.slice, c.outer, c.inner]
        if let tables {
            geometry += tables.termsOfA + tables.termsOfB + tables.columnsOfB + tables.columnsOfC
        }
        let group = [tile.edge / tile.itemColumns, tile.edge / tile.itemRows]
        func pieces(_ count: Int) -> Int { (count + tile.edge - 1) / tile.edge }
        return Launch(
            KernelSource(file: "matmul_local", target, macros), buffers, geometry: geometry,
            items: [pieces(n) * group[0], pieces(m) * group[1], batches * slices], group: group,
            finish: .values)
    }
}
