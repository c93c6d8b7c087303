import Planner

/// A convolution or its input gradient for processors, without a matrix of patches: an item pads an image in its own
/// working memory, and products read their patches from there by a table of offsets.
///
/// - Forward: vectors of neighbouring positions times packed filters.
/// - Input gradient: the same on the cotangent with the filters transposed; with strides, one such product for every
///   residue of the positions.
struct OpenCLTiledConvolution: OpenCLKernel {
    private let shape: Convolution
    private let target: OpenCLTarget
    /// The padded source of one group: the image, or the cotangent for the input gradient.
    private let source: PaddedSource
    /// The products that make up the result: one, or one for every residue of a strided input gradient.
    private let passes: [ConvolutionPass]
    /// Vectors of each product.
    private let vectors: [PositionVectors]
    private let work: ImageWork

    init(_ shape: Convolution, _ target: OpenCLTarget) {
        self.shape = shape
        // Tiles of few rows where there are few lines, as in the gradient of an image.
        var target = target
        while target.style.tileRows >= max(4, 2 * Self.lines(shape)) { target.style.tileRows /= 2 }
        self.target = target
        let plain = PaddedSource(shape), byTaps = plain.columnsByTap(shape)
        func made(_ source: PaddedSource) -> [ConvolutionPass] {
            shape.role == .forward
                ? [ConvolutionPass(forward: shape, source)] : ConvolutionPass.inputGradient(shape, source)
        }
        // The cheapest of three ways to lay vectors, of which two need results of one product.
        var (best, source, passes) = (
            made(plain).map { PositionVectors.padded($0, plain, target) }, plain, made(plain)
        )
        if passes.count == 1 {
            let alongRows = PositionVectors.alongRows(passes[0], plain, target)
            if let alongRows, alongRows.cost < best[0].cost { best = [alongRows] }
            if let byTaps {
                let pass = made(byTaps)
                if let together = PositionVectors.together(pass[0], byTaps, target),
                    together.cost < best[0].cost
                {
                    (best, source, passes) = ([together], byTaps, pass)
                }
            }
        }
        (self.source, self.passes, vectors) = (source, passes, best)
        isDirect = best[0].isDirect
        let perLine = isDirect ? 0 : best.reduce(0) { $0 + $1.count * target.lanes }
        work = ImageWork(
            images: shape.x[0] * shape.window.groups, lines: passes[0].lines, fixed: source.count(target),
            perLine: perLine, target)
    }

    /// Whether results are written as they come.
    private let isDirect: Bool

    /// Rows of the products: filters, or channels for the input gradient.
    private static func lines(_ shape: Convolution) -> Int {
        shape.role == .forward ? shape.w[0] / shape.window.groups : shape.w[1]
    }

    private var groups: Int { shape.window.groups }
    private var rows: Int { target.style.tileRows }
    private var packedCount: Int {
        aligned(passes.reduce(0) { $0 + $1.packedCount(rows) } * groups)
    }

    var scratch: Int { packedCount + work.count }

    func launches(_ memory: StepMemory) -> [Launch] {
        let filters = memory.scratch(at: 0)
        var launches: [Launch] = []
        var records: [Int] = [], tables: [Int] = []
        var packed = 0, plane = 0
        let group = passes.reduce(0) { $0 + $1.packedCount(rows) }
        let first = 25 + 9 * passes.count
        for (pass, vectors) in zip(passes, vectors) {
            launches.append(pack(pass, memory.operands[1], filters + packed, group))
            records += [pass.off.count, packed, vectors.count, vectors.across, vectors.last]
            records += [vectors.sourceRow, vectors.resultRow, plane, first + tables.count]
            packed += pass.packedCount(rows)
            plane += work.block * vectors.count * target.lanes
            tables += pass.off
        }
        let pass = passes[0]
        let isForward = shape.role == .forward
        let down = isForward ? 1 : min(shape.window.strideH, shape.x[2])
        let across = isForward ? 1 : min(shape.window.strideW, shape.x[3])
        launches.append(
            Launch(
                KernelSource(convolution: "conv_images", ["image"], target),
                [memory.operands[0], filters, memory.result, memory.scratch(at: packedCount)],
                geometry: [
                    work.runs, work.blocks, work.block, pass.lines, groups, work.perItem, work.fixed,
                    source.channels * source.height * source.width, pass.lines * pass.resultPlane,
                    pass.resultPlane, group, isForward ? shape.y[3] : shape.x[3], down, across,
                    isDirect ? 1 : 0,
                ] + source.geometry + records + tables,
                items: [work.items], finish: .runs))
        return launches
    }

    private func pack(_ pass: ConvolutionPass, _ filters: Buffer, _ to: Buffer, _ group: Int) -> Launch {
        let taps = shape.w[2] * shape.w[3], channels = shape.w[1]
        let (byLine, byChannel) =
            shape.role == .forward ? (channels * taps, taps) : (taps, channels * taps)
        return Launch(
            KernelSource(file: "conv_filters", target, [("ROWS", rows)]), [filters, to],
            geometry: [
                pass.lines, source.channels, pass.taps.count, shape.w[0] / groups * channels * taps, group,
                byLine, byChannel,
            ] + pass.taps,
            items: [tiles(pass.lines, rows), groups])
    }
}

/// How vectors are laid along the positions of a product: rows of so many vectors, of which the last one begins no
/// later than where it still fits.
struct PositionVectors {
    /// Vectors in all, and of a row.
    var count: Int, across: Int
    /// Where the last vector of a row begins.
    var last: Int
    /// Elements between rows of the padded source and of the result.
    var sourceRow = 0, resultRow = 0
    /// Whether results are written as they come.
    var isDirect: Bool
    /// Time, about, in products of vectors.
    var cost: Int

    private init(
        _ pass: ConvolutionPass, _ target: OpenCLTarget, count: Int, across: Int, last: Int, isDirect: Bool
    ) {
        (self.count, self.across, self.last, self.isDirect) = (count, across, last, isDirect)
        cost = count * tiles(pass.lines, target.style.tileRows) * target.style.tileRows * pass.off.count
    }

    /// Along all of the padded rows, from which results are copied.
    static func padded(_ pass: ConvolutionPass, _ source: PaddedSource, _ target: OpenCLTarget)
        -> PositionVectors
    {
        let count = pass.gridH > 0 ? tiles((pass.gridH - 1) * source.partW + pass.gridW, target.lanes) : 0
        var vectors = PositionVectors(
            pass, target, count: count, across: max(1, count), last: count * target.lanes, isDirect: false)
        vectors.cost += pass.lines * count * copying
        return vectors
    }

    /// Along each row on its own; nil if rows are shorter than vectors.
    static func alongRows(_ pass: ConvolutionPass, _ source: PaddedSource, _ target: OpenCLTarget)
        -> PositionVectors?
    {
        if pass.gridW < target.lanes { return nil }
        let across = tiles(pass.gridW, target.lanes)
        var vectors = PositionVectors(
            pass, target, count: across * pass.gridH, across: across, last: pass.gridW - target.lanes,
            isDirect: true)
        (vectors.sourceRow, vectors.resultRow) = (source.partW, pass.gridW)
        return vectors
    }

    /// Along all rows as one, in a source that has no gaps between them; nil if there are too few positions.
    static func together(_ pass: ConvolutionPass, _ source: PaddedSource, _ target: OpenCLTarget)
        -> PositionVectors?
    {
        let positions = pass.gridH * pass.gridW
        if positions < target.lanes { return nil }
        let count = tiles(positions, target.lanes)
        var vectors = PositionVectors(
            pass, target, count: count, across: count, last: positions - target.lanes, isDirect: true)
        vectors.cost += source.columnParts * source.channels * count * copying
        return vectors
    }

    /// Time of moving a vector.
    private static let copying = 8
}

/// How images, each with a number of lines of results, are dealt out to items that work in memory of their own. What
/// an item takes at a time is a block of lines of one image.
struct ImageWork {
    let lines: Int, block: Int, blocks: Int, runs: Int, items: Int
    /// Elements of working memory of one item, of which `fixed` do not depend on the lines.
    let perItem: Int, fixed: Int

    /// Elements of all items.
    var count: Int { items * perItem }

    init(images: Int, lines: Int, fixed: Int, perLine: Int, _ target: OpenCLTarget) {
        let (limit, rows) = (target.style.patchLimit, target.style.tileRows)
        (self.lines, self.fixed) = (lines, aligned(fixed))
        // Blocks are as large as memory allows, and as small as keeps all items busy.
        let workers = target.style.workers
        let most = perLine == 0 ? lines : max(1, limit / (8 * perLine))
        let wanted = tiles(lines, max(1, tiles(2 * workers, max(1, images))))
        block = max(rows, tiles(min(most, wanted, lines), rows) * rows)
        blocks = tiles(lines, block)
        runs = images * blocks
        perItem = aligned(self.fixed + block * perLine)
        items = max(min(runs, 1), min(runs, workers, max(images, 4 * limit / max(1, perItem))))
    }
}

/// Parts of some size that make up a count.
func tiles(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }

/// The next multiple of a cache line's elements.
func aligned(_ count: Int) -> Int { tiles(count, 64) * 64 }

extension KernelSource {
    /// A variant of the file `cl/FAMILY.cl` behind other files and the micro-kernel, with terms by a table.
    init(convolution family: String, _ files: [String], _ target: OpenCLTarget) {
        self.init(
            tiled: family, using: files, target,
            [
                ("ROWS", target.style.tileRows), ("PANELS", 3), ("V", target.lanes), ("TABLE", nil),
                ("WHOLE", nil),
            ])
    }
}

/// The padded copy of what a convolution reads, of one group of one image. It has parts of `partH` by `partW`: rows of one
/// residue of the steps lie together, and a part's columns begin at its number and are a step apart. There are as many
/// parts as steps, which holds every column once, or one for each of the kernel's columns.
struct PaddedSource {
    var channels: Int, height: Int, width: Int
    var top: Int, left: Int
    var stepH = 1, stepW = 1
    var columnParts = 1
    var partH: Int, partW: Int

    /// Elements of one channel.
    var plane: Int { stepH * columnParts * partH * partW }

    /// Elements of an image of one group, and what vectors may read after it.
    func count(_ target: OpenCLTarget) -> Int { channels * plane + partW + 4 * target.lanes }

    /// What `pad` reads.
    var geometry: [Int] { [channels, height, width, top, left, stepH, stepW, partH, partW, columnParts] }

    /// The same with a part for each of the kernel's columns, so that rows of positions have no gaps between them; nil where
    /// the result has several residues, or the kernel begins beyond the padding.
    func columnsByTap(_ shape: Convolution) -> PaddedSource? {
        let isForward = shape.role == .forward, (kernelW, padding) = (shape.w[3], shape.window.paddingW)
        if !isForward && (shape.window.strideH > 1 || shape.window.strideW > 1 || padding >= kernelW) {
            return nil
        }
        var source = self
        (source.columnParts, source.partW) = (kernelW, isForward ? shape.y[3] : shape.x[3])
        return source
    }

    init(_ shape: Convolution) {
        let window = shape.window
        if shape.role == .inputGradient {
            (channels, height, width) = (shape.w[0] / window.groups, shape.y[2], shape.y[3])
            // The farthest elements of the cotangent that any tap of any position touches.
            func reach(_ extent: Int, _ results: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> (
                Int, Int
            ) {
                let low = floorDivide(padding - kernel + 1, stride),
                    high = floorDivide(extent - 1 + padding, stride)
                return (max(0, -low), max(high + 1, results))
            }
            let (above, below) = reach(shape.x[2], height, shape.w[2], window.strideH, window.paddingH)
            let (before, after) = reach(shape.x[3], width, shape.w[3], window.strideW, window.paddingW)
            (top, left, partH, partW) = (above, before, above + below, before + after)
        } else {
            (channels, height, width) = (shape.w[1], shape.x[2], shape.x[3])
            (top, left) = (window.paddingH, window.paddingW)
            (stepH, stepW, columnParts) = (window.strideH, window.strideW, window.strideW)
            partH = (height + 2 * top + stepH - 1) / stepH
            partW = (width + 2 * left + stepW - 1) / stepW
        }
    }

    /// Where pixel (y, x) of a channel's padded image lies; x is a column of the kernel.
    func element(_ channel: Int, _ y: Int, _ x: Int) -> Int {
        channel * plane + (y % stepH * columnParts + x % columnParts) * partH * partW + y / stepH * partW
            + x / columnParts
    }
}

/// One product of a convolution: results at a grid of positions.
struct ConvolutionPass {
    /// Rows of the product: filters, or channels for the input gradient.
    var lines: Int
    /// Kernel positions, and the source's element of every term.
    var taps: [Int], off: [Int]
    var gridH: Int, gridW: Int
    /// Where results go: first + row·byRow + column·byColumn, `resultPlane` between lines.
    var first: Int, byRow: Int, byColumn: Int, resultPlane: Int

    /// Elements of one group's packed filters.
    func packedCount(_ rows: Int) -> Int { (lines + rows - 1) / rows * rows * off.count }

    /// The convolution itself.
    init(forward shape: Convolution, _ source: PaddedSource) {
        lines = shape.w[0] / shape.window.groups
        let taps = Array(0..<shape.w[2] * shape.w[3])
        self.taps = taps
        (gridH, gridW) = (shape.y[2], shape.y[3])
        (first, byRow, byColumn, resultPlane) = (0, gridW, 1, gridH * gridW)
        off = (0..<source.channels).flatMap { channel in
            taps.map { source.element(channel, $0 / shape.w[3], $0 % shape.w[3]) }
        }
    }

    /// Positions with residues (a, b) of the input gradient: those at i·stride + a are touched by the taps u of the
    /// same residue, at element i + (a + padding − u)/stride of the cotangent.
    private init(_ shape: Convolution, _ source: PaddedSource, _ a: Int, _ b: Int) {
        let window = shape.window
        lines = shape.w[1]
        let (kernelH, kernelW) = (shape.w[2], shape.w[3])
        let taps = (0..<kernelH * kernelW).filter { tap in
            (tap / kernelW - a - window.paddingH) % window.strideH == 0
                && (tap % kernelW - b - window.paddingW) % window.strideW == 0
        }
        self.taps = taps
        gridH = (shape.x[2] - a + window.strideH - 1) / window.strideH
        gridW = (shape.x[3] - b + window.strideW - 1) / window.strideW
        first = a * shape.x[3] + b
        (byRow, byColumn) = (window.strideH * shape.x[3], window.strideW)
        resultPlane = shape.x[2] * shape.x[3]
        off = (0..<source.channels).flatMap { channel in
            taps.map { tap in
                source.element(
                    channel, source.top + (a + window.paddingH - tap / kernelW) / window.strideH,
                    source.left + (b + window.paddingW - tap % kernelW) / window.strideW)
            }
        }
    }

    static func inputGradient(_ shape: Convolution, _ source: PaddedSource) -> [ConvolutionPass] {
        (0..<min(shape.window.strideH, shape.x[2])).flatMap { a in
            (0..<min(shape.window.strideW, shape.x[3])).map { b in ConvolutionPass(shape, source, a, b) }
        }
    }
}

/// Divides towards minus infinity.
private func floorDivide(_ a: Int, _ b: Int) -> Int { Int((Double(a) / Double(b)).rounded(.down)) }
