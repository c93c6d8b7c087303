import Planner

/// A batch of matrix products, or Gram matrices.
struct OpenCLMatmul: OpenCLKernel {
    private let kernel: MatrixProduct
    private let target: OpenCLTarget
    private let product: StridedProduct

    init(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        (self.kernel, self.target) = (kernel, target)
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        var product = StridedProduct(
            m: m, n: n, terms: k, batches: kernel.batches,
            a: .init(line: kernel.transposeA ? 1 : k, term: kernel.transposeA ? m : 1, outer: m * k),
            b: .init(line: kernel.transposeB ? k : 1, term: kernel.transposeB ? 1 : n, outer: k * n),
            c: .init(row: n, column: 1, outer: m * n))
        product.orient(target)
        // One triangle is enough of a product that is not cut into slices.
        product.isTriangle = kernel.isGram && n > 16 && product.slices(target).count == 1
        self.product = product
    }

    private var slices: Int { product.slices(target).count }

    var scratch: Int { slices > 1 ? slices * kernel.batches * kernel.m * kernel.n : 0 }

    func launches(_ memory: StepMemory) -> [Launch] {
        let count = kernel.batches * kernel.m * kernel.n
        if slices > 1 {
            var partial = product
            partial.c.slice = count
            return [
                partial.launch(memory.operands[0], memory.operands[1], memory.scratch(at: 0), target),
                OpenCLReduce.combine(memory.scratch(at: 0), memory.result, count, slices, .sum, target),
            ]
        }
        let launch = product.launch(memory.operands[0], memory.operands[1], memory.result, target)
        return product.isTriangle
            ? [launch, Self.mirror(memory.result, kernel.n, kernel.batches, target)] : [launch]
    }

    /// Copies the lower triangles of some matrices to their upper ones.
    static func mirror(_ result: Buffer, _ n: Int, _ batches: Int, _ target: OpenCLTarget) -> Launch {
        let group = target.style.group
        return Launch(
            KernelSource(file: "mirror", target, [("GROUP", group)]), [result], geometry: [n],
            items: [n, n, batches], group: [group])
    }
}

/// A batch of products of strided matrices, as `matmul_columns` and `matmul_dots` take them.
struct StridedProduct {
    /// An operand: distances between its lines (rows of a, columns of b), terms, segments and batches.
    struct Side {
        var line: Int, term: Int
        var segment = 0
        var outer = 0, inner = 0
    }
    /// The result: distances between rows, columns, slices and batches.
    struct Output {
        var row: Int, column: Int
        var slice = 0
        var outer = 0, inner = 0
    }
    var m: Int, n: Int
    /// Terms of every sum, in all segments.
    var terms: Int
    /// Terms of one segment where they are given, with the sides' segment strides; else segments are chosen.
    var length: Int?
    var batches: Int, groups = 1
    var a: Side, b: Side, c: Output
    var isTriangle = false

    /// Whether terms of both sides lie next to each other.
    private var hasDots: Bool { a.term == 1 && b.term == 1 }
    /// Whether the sides were swapped, so that columns of b lie next to each other.
    private var isSwapped = false

    init(
        m: Int, n: Int, terms: Int, length: Int? = nil, batches: Int, groups: Int = 1, a: Side, b: Side,
        c: Output
    ) {
        (self.m, self.n, self.terms, self.length) = (m, n, terms, length)
        (self.batches, self.groups) = (batches, groups)
        (self.a, self.b, self.c) = (a, b, c)
    }

    /// Swaps the sides where the kernel needs it: (a·b)ᵀ = bᵀ·aᵀ.
    mutating func orient(_ target: OpenCLTarget) {
        let fits = b.line == 1 && (n >= target.lanes || n >= m || a.line != 1)
        if hasDots || fits { return }
        (m, n) = (n, m)
        (a, b) = (b, a)
        (c.row, c.column) = (c.column, c.row)
        isSwapped.toggle()
    }

    /// Rows and columns of the tile of one work-item.
    private func tile(_ target: OpenCLTarget) -> (rows: Int, columns: Int) {
        let style = target.style
        if hasDots { return (style.dotRows, style.dotColumns) }
        return (m == 1 ? 1 : style.rows, style.panels * width(target))
    }

    /// Lanes: of columns, or of terms.
    private func width(_ target: OpenCLTarget) -> Int {
        if hasDots { return terms >= target.lanes ? target.lanes : 4 }
        return n >= target.lanes ? target.lanes : n >= 4 ? 4 : 1
    }

    private var segmentLength: Int { length ?? (hasDots ? 2048 : 512) }
    private var segments: Int { (terms + segmentLength - 1) / max(1, segmentLength) }

    /// Slices, and segments in each: more than one only where there are few tiles and much to do.
    func slices(_ target: OpenCLTarget) -> (count: Int, segments: Int) {
        let (rows, columns) = tile(target)
        let tiles = ((m + rows - 1) / rows) * ((n + columns - 1) / columns) * batches
        if tiles == 0 || tiles >= target.style.parallelism || m * n * batches * terms < 1 << 20 {
            return (1, segments)
        }
        let wanted = min(segments, (target.style.parallelism + tiles - 1) / tiles)
        let share = (segments + max(1, wanted) - 1) / max(1, wanted)
        return (max(1, (segments + share - 1) / max(1, share)), share)
    }

    /// The launch, for operands in the order in which the product was made.
    func launch(_ a: Buffer, _ b: Buffer, _ c: Buffer, _ target: OpenCLTarget) -> Launch {
        let style = target.style
        let (rows, columns) = tile(target)
        var macros: [(String, Int?)] = [
            ("V", width(target)), ("ROWS", rows), ("LOCAL0", style.matrixGroup[0]),
            ("LOCAL1", style.matrixGroup[1]), hasDots ? ("COLUMNS", columns) : ("PANELS", style.panels),
        ]
        if style.hasManyItems { macros.append(("COLUMNS_FIRST", nil)) }
        let source = KernelSource(file: hasDots ? "matmul_dots" : "matmul_columns", target, macros)
        let slices = slices(target)
        let geometry =
            [
                m, n, segmentLength, terms, segments, slices.segments, slices.count, groups,
                isTriangle ? 1 : 0,
            ] + distances(self.a) + distances(self.b)
            + [self.c.row, self.c.column, self.c.slice, self.c.outer, self.c.inner]
        let tiles = [(m + rows - 1) / rows, (n + columns - 1) / columns]
        return Launch(
            source, isSwapped ? [b, a, c] : [a, b, c], geometry: geometry,
            items: (style.hasManyItems ? [tiles[1], tiles[0]] : tiles) + [batches * slices.count],
            group: style.matrixGroup)
    }

    private func distances(_ side: Side) -> [Int] {
        // A single segment has no stride: it could be greater than any index.
        let segment = segments < 2 ? 0 : length == nil ? segmentLength * side.term : side.segment
        return [side.line, side.term, segment, side.outer, side.inner]
    }
}
