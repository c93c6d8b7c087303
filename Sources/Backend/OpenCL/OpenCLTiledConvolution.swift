import Planner

/// The convolution triple for processors, without a matrix of patches: images are copied once with zeros around them,
/// and products read their patches from there by a table of offsets. Images are taken as many at a time as the limit of
/// working memory allows.
///
/// - Forward: vectors of neighbouring positions times packed filters.
/// - Input gradient: the same on the cotangent with the filters transposed; with strides, one such product for every
///   residue of the positions.
/// - Filter gradient: cotangents in panels times images with their channels last, whose vectors run along kernel
///   columns and channels. Partial sums of pieces of the images are added in order.
struct OpenCLTiledConvolution: OpenCLKernel {
    private let shape: Convolution
    private let target: OpenCLTarget

    init(_ shape: Convolution, _ target: OpenCLTarget) { (self.shape, self.target) = (shape, target) }

    // MARK: Extents

    private var groups: Int { shape.window.groups }
    /// Of one group: filters, channels, kernel positions, result positions.
    private var filters: Int { shape.w[0] / groups }
    private var channels: Int { shape.w[1] }
    private var taps: Int { shape.w[2] * shape.w[3] }
    private var positions: Int { shape.y[2] * shape.y[3] }
    private var rows: Int { target.style.tileRows }
    private func tiles(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }

    /// What vectors and the last rows may read after the last image.
    private var slack: Int { source.slack + 4 * target.lanes }

    private var isFilterGradient: Bool { shape.role == .filterGradient }

    /// The padded source of one group: the image, or the cotangent for the input gradient.
    private var source: PaddedSource { PaddedSource(shape) }

    /// Elements of working memory for one image of all groups.
    private var perImage: Int {
        let plane = source.plane * source.channels * groups
        return isFilterGradient ? plane + groups * tiles(filters, rows) * rows * positions : plane
    }

    /// Images of one piece.
    private var images: Int { max(1, min(shape.x[0], target.style.patchLimit / max(1, perImage))) }

    private var pieces: [Range<Int>] {
        if shape.x[0] == 0 { return [0..<0] }
        return stride(from: 0, to: shape.x[0], by: images).map { $0..<min($0 + images, shape.x[0]) }
    }

    var scratch: Int {
        sourceCount + (isFilterGradient ? panelCount + partCount * shape.w.count : packedCount)
    }

    /// Elements of the padded source of one piece, of packed cotangents, of packed filters.
    private var sourceCount: Int { aligned(images * source.plane * source.channels * groups + slack) }
    private var panelCount: Int { aligned(images * groups * tiles(filters, rows) * rows * positions) }
    private var packedCount: Int { passes.reduce(0) { $0 + $1.packedCount(rows) } * groups }
    private func aligned(_ count: Int) -> Int { (count + 63) / 64 * 64 }

    func launches(_ memory: StepMemory) -> [Launch] {
        isFilterGradient ? filterGradient(memory) : images(memory)
    }

    // MARK: Forward and input gradient

    /// The products that make up the result: one, or one for every residue of a strided input gradient.
    private var passes: [ConvolutionPass] {
        shape.role == .forward
            ? [ConvolutionPass(forward: shape, source)] : ConvolutionPass.inputGradient(shape, source)
    }

    private func images(_ memory: StepMemory) -> [Launch] {
        var launches: [Launch] = []
        var packed = sourceCount
        var packs: [(pass: ConvolutionPass, filters: Buffer)] = []
        for pass in passes {
            let place = memory.scratch(at: packed)
            launches.append(pack(pass, memory.operands[1], place))
            packs.append((pass, place))
            packed += pass.packedCount(rows) * groups
        }
        let isForward = shape.role == .forward
        let (from, to) = isForward ? (shape.x, shape.y) : (shape.y, shape.x)
        for piece in pieces {
            let source = memory.operands[0] + piece.lowerBound * from[1] * from[2] * from[3]
            launches.append(pad(source, memory.scratch(at: 0), piece.count))
            let result = memory.result + piece.lowerBound * to[1] * to[2] * to[3]
            for (pass, filters) in packs {
                launches.append(multiply(pass, memory.scratch(at: 0), filters, result, piece.count))
            }
        }
        return launches
    }

    private func pack(_ pass: ConvolutionPass, _ filters: Buffer, _ to: Buffer) -> Launch {
        let (byLine, byChannel) = shape.role == .forward ? (channels * taps, taps) : (taps, channels * taps)
        return Launch(
            KernelSource(file: "conv_filters", target, [("ROWS", rows)]), [filters, to],
            geometry: [
                pass.lines, source.channels, pass.taps.count, self.filters * channels * taps,
                byLine, byChannel,
            ] + pass.taps,
            items: [tiles(pass.lines, rows), groups])
    }

    private func pad(_ from: Buffer, _ to: Buffer, _ images: Int) -> Launch {
        let s = source
        let count = images * groups * s.channels
        return Launch(
            KernelSource(file: "conv_pad", target), [from, to],
            geometry: [count, s.height, s.width, s.top, s.left, s.stepH, s.stepW, s.partH, s.partW, slack],
            items: [count + 1])
    }

    private func multiply(
        _ pass: ConvolutionPass, _ source: Buffer, _ filters: Buffer, _ result: Buffer, _ images: Int
    ) -> Launch {
        let lanes = target.lanes
        let isWhole = pass.gridW % lanes == 0
        let length = (pass.gridH - 1) * self.source.partW + pass.gridW
        let vectors = isWhole ? pass.gridH * pass.gridW / lanes : tiles(length, lanes)
        // Shares of whole tiles; more than one where there are few images.
        let panels = target.style.tilePanels
        let wanted = max(1, min(tiles(vectors, panels), tiles(64, max(1, images * groups))))
        let share = tiles(tiles(vectors, panels), wanted) * panels
        return Launch(
            KernelSource(
                file: "conv_tiles", target, [("ROWS", rows), ("PANELS", panels), ("V", lanes)]),
            [source, filters, result],
            geometry: [
                pass.lines, pass.off.count, self.source.plane * self.source.channels, pass.packedCount(rows),
                groups,
                pass.gridH, pass.gridW, self.source.partW, isWhole ? 1 : 0, vectors, share,
                pass.lines * pass.resultPlane, pass.resultPlane, pass.first, pass.byRow, pass.byColumn,
            ] + pass.off,
            items: [tiles(vectors, share), images * groups],
            finish: pass.isContiguous ? .runs : nil)
    }

    // MARK: Filter gradient

    /// Vectors of one kernel row.
    private var across: Int { tiles(shape.w[3] * channels, target.lanes) }

    /// Parts of a piece of some images: as many as keep all cores busy.
    private func parts(_ images: Int) -> (count: Int, images: Int) {
        let items = tiles(shape.w[2] * across, target.style.tilePanels) * tiles(filters, rows) * groups
        let wanted = max(1, min(images, tiles(64, max(1, items))))
        let share = max(1, tiles(images, wanted))
        return (max(1, tiles(images, share)), share)
    }

    private var partCount: Int { pieces.reduce(0) { $0 + parts($1.count).count } }

    private func filterGradient(_ memory: StepMemory) -> [Launch] {
        var launches: [Launch] = []
        let (x, y) = (shape.x, shape.y)
        let last = memory.scratch(at: 0), panels = memory.scratch(at: sourceCount)
        let sums = sourceCount + panelCount
        var part = 0
        for piece in pieces {
            let s = source
            let batches = piece.count * groups
            launches.append(
                Launch(
                    KernelSource(file: "conv_channels_last", target),
                    [memory.operands[0] + piece.lowerBound * x[1] * x[2] * x[3], last],
                    geometry: [channels, s.height, s.width, s.top, s.left, s.partH, s.partW, batches, slack],
                    items: [s.partH + 1, batches]))
            launches.append(
                Launch(
                    KernelSource(file: "pack_panels", target, [("WIDTH", rows)]),
                    [memory.operands[1] + piece.lowerBound * y[1] * positions, panels],
                    geometry: [
                        filters, positions, positions, 1, filters * positions,
                        tiles(filters, rows) * rows * positions,
                    ],
                    items: [tiles(filters, rows), tiles(positions, 256), batches]))
            let share = parts(piece.count)
            launches.append(
                sum(panels, last, memory.scratch(at: sums + part * shape.w.count), piece.count, share))
            part += share.count
        }
        let group = target.style.group
        launches.append(
            Launch(
                KernelSource(file: "conv_finish", target, [("GROUP", group)]),
                [memory.scratch(at: sums), memory.result],
                geometry: [shape.w.count, partCount, channels, shape.w[2], shape.w[3]],
                items: [shape.w.count], group: [group], finish: .values))
        return launches
    }

    private func sum(
        _ panels: Buffer, _ last: Buffer, _ sums: Buffer, _ images: Int, _ share: (count: Int, images: Int)
    ) -> Launch {
        let s = source
        let off = (0..<shape.y[2]).flatMap { row in
            (0..<shape.y[3]).map { column in
                (row * shape.window.strideH * s.partW + column * shape.window.strideW) * channels
            }
        }
        return Launch(
            KernelSource(
                file: "conv_sums", target,
                [("ROWS", rows), ("PANELS", target.style.tilePanels), ("V", target.lanes)]),
            [panels, last, sums],
            geometry: [
                filters, shape.w[2], shape.w[3] * channels, s.partW * channels, positions, images,
                share.images,
                groups, tiles(filters, rows) * rows * positions, s.plane * channels, shape.w.count,
            ] + off,
            items: [
                tiles(shape.w[2] * across, target.style.tilePanels), tiles(filters, rows),
                share.count * groups,
            ])
    }
}

/// The padded copy of what a convolution reads, of one group of one image. Rows and columns of one residue of the steps
/// lie together, `partH` by `partW`.
struct PaddedSource {
    var channels: Int, height: Int, width: Int
    var top: Int, left: Int
    var stepH = 1, stepW = 1
    var partH: Int, partW: Int

    /// Elements of one channel.
    var plane: Int { stepH * stepW * partH * partW }
    /// What offsets may reach beyond the last element of an image.
    var slack: Int { partW }

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
            // With its channels last, an image is read at any step.
            if shape.role == .forward { (stepH, stepW) = (window.strideH, window.strideW) }
            partH = (height + 2 * top + stepH - 1) / stepH
            partW = (width + 2 * left + stepW - 1) / stepW
        }
    }

    /// Where pixel (y, x) of a channel's padded image lies.
    func element(_ channel: Int, _ y: Int, _ x: Int) -> Int {
        channel * plane + (y % stepH * stepW + x % stepW) * partH * partW + y / stepH * partW + x / stepW
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

    /// Whether neighbouring positions, also of neighbouring rows, are neighbours in the result.
    var isContiguous: Bool { byColumn == 1 && byRow == gridW }

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
