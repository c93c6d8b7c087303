import Planner

/// The convolution triple for graphics processors, as products that gather their patches while they fill local memory:
/// images are copied once with zeros around them, and lists say where every term and position lies. Images are taken as
/// many at a time as the limit of working memory allows.
///
/// - Forward: filters times patches.
/// - Input gradient: the same on the cotangent with the filters transposed; with strides, one such product for every
///   residue of the positions.
/// - Filter gradient: cotangents times patches, one image a segment. Partial sums are added in order.
struct OpenCLLocalConvolution: OpenCLKernel {
    private let shape: Convolution
    private let target: OpenCLTarget
    private let source: PaddedSource
    private let passes: [ConvolutionPass]
    /// Images of one piece, and of one partial filter gradient.
    private let images: Int, share: Int
    private let tile: LocalTile

    /// Nil if local memory does not pay for one of the products.
    init?(_ shape: Convolution, _ target: OpenCLTarget) {
        guard shape.x[0] > 0 else { return nil }
        (self.shape, self.target) = (shape, target)
        source = PaddedSource(shape).unsorted
        switch shape.role {
        case .forward: passes = [ConvolutionPass(forward: shape, source)]
        case .inputGradient: passes = ConvolutionPass.inputGradient(shape, source)
        case .filterGradient: passes = []
        }
        let perImage = source.plane * source.channels * shape.window.groups
        images = max(1, min(shape.x[0], target.style.patchLimit / max(1, perImage)))
        // Enough partial sums for a large device, from few results.
        let results = shape.w.count / 1024 + 1
        share = max(1, images / max(1, 256 / results))
        guard let tile = Self.tile(shape, target, passes, images, share) else { return nil }
        self.tile = tile
    }

    /// The tile of the product that computes most.
    private static func tile(
        _ shape: Convolution, _ target: OpenCLTarget, _ passes: [ConvolutionPass], _ images: Int, _ share: Int
    ) -> LocalTile? {
        let groups = shape.window.groups, side = LocalProduct.Side(hasNearTerms: true)
        func product(_ m: Int, _ n: Int, _ terms: Int, _ batches: Int) -> LocalProduct {
            LocalProduct(m: m, n: n, terms: terms, batches: batches, a: side, b: side, c: .init(row: n))
        }
        guard let pass = passes.max(by: { $0.off.count < $1.off.count }) else {
            let sums = (images + share - 1) / share
            return product(
                shape.w[0] / groups, shape.w[1] * shape.w[2] * shape.w[3], shape.y[2] * shape.y[3],
                groups * sums
            ).tile(target)
        }
        return product(pass.lines, pass.gridH * pass.gridW, pass.off.count, images * groups).tile(target)
    }

    // MARK: Extents

    private var groups: Int { shape.window.groups }
    /// Of one group: filters, channels, kernel positions, result positions.
    private var filters: Int { shape.w[0] / groups }
    private var channels: Int { shape.w[1] }
    private var taps: Int { shape.w[2] * shape.w[3] }
    private var positions: Int { shape.y[2] * shape.y[3] }
    private var isFilterGradient: Bool { shape.role == .filterGradient }
    /// Elements of one group of the source.
    private var planes: Int { source.plane * source.channels }

    private var pieces: [Range<Int>] {
        stride(from: 0, to: shape.x[0], by: images).map { $0..<min($0 + images, shape.x[0]) }
    }
    private func parts(_ images: Int) -> Int { (images + share - 1) / share }
    private var partCount: Int { pieces.reduce(0) { $0 + parts($1.count) } }

    private var paddedCount: Int { source.isPadded ? (images * groups * planes + 63) / 64 * 64 : 0 }

    var scratch: Int { paddedCount + (isFilterGradient && partCount > 1 ? partCount * shape.w.count : 0) }

    // MARK: Launches

    func launches(_ memory: StepMemory) -> [Launch] {
        var launches: [Launch] = []
        var part = 0
        let sourceCount = groups * source.channels * source.height * source.width
        for piece in pieces {
            var images = memory.operands[0] + piece.lowerBound * sourceCount
            if source.isPadded {
                launches += pad(images, memory.scratch(at: 0), piece.count)
                images = memory.scratch(at: 0)
            }
            if isFilterGradient {
                let sums =
                    partCount == 1
                    ? memory.result : memory.scratch(at: paddedCount + part * shape.w.count)
                let cotangents = memory.operands[1] + piece.lowerBound * groups * filters * positions
                launches.append(sum(cotangents, images, sums, piece.count))
                part += parts(piece.count)
            } else {
                let plane = shape.role == .forward ? shape.y : shape.x
                let result = memory.result + piece.lowerBound * plane[1] * plane[2] * plane[3]
                launches += passes.map { multiply($0, memory.operands[1], images, result, piece.count) }
            }
        }
        if isFilterGradient && partCount > 1 {
            launches.append(
                OpenCLReduce.combine(
                    memory.scratch(at: paddedCount), memory.result, shape.w.count, partCount, .sum, target))
        }
        return launches
    }

    private func pad(_ from: Buffer, _ to: Buffer, _ images: Int) -> [Launch] {
        let planes = images * groups * source.channels
        return OpenCLPad(
            part: [planes, source.height, source.width], whole: [planes, source.partH, source.partW],
            starts: [0, source.top, source.left], steps: [1, 1, 1], target
        ).launches(StepMemory(operands: [from], result: to))
    }

    private func multiply(
        _ pass: ConvolutionPass, _ w: Buffer, _ images: Buffer, _ result: Buffer, _ count: Int
    ) -> Launch {
        let isForward = shape.role == .forward
        let stepH = isForward ? shape.window.strideH : 1, stepW = isForward ? shape.window.strideW : 1
        let (byLine, byChannel) = isForward ? (channels * taps, taps) : (taps, channels * taps)
        func grid(_ byRow: Int, _ byColumn: Int, first: Int) -> [Int] {
            (0..<pass.gridH).flatMap { row in
                (0..<pass.gridW).map { first + row * byRow + $0 * byColumn }
            }
        }
        let tables = LocalProduct.Tables(
            termsOfA: (0..<source.channels).flatMap { channel in pass.taps.map { channel * byChannel + $0 } },
            termsOfB: pass.off, columnsOfB: grid(stepH * source.partW, stepW, first: 0),
            columnsOfC: grid(pass.byRow, pass.byColumn, first: pass.first))
        let group = pass.lines * pass.resultPlane
        let product = LocalProduct(
            m: pass.lines, n: pass.gridH * pass.gridW, terms: pass.off.count, batches: count * groups,
            inners: groups,
            a: .init(line: byLine, inner: filters * channels * taps, hasNearTerms: true),
            b: .init(outer: groups * planes, inner: planes, hasNearTerms: false),
            c: .init(row: pass.resultPlane, outer: groups * group, inner: group), tables: tables)
        return product.launch([w, images, result], tile, target)
    }

    private func sum(_ cotangents: Buffer, _ images: Buffer, _ sums: Buffer, _ count: Int) -> Launch {
        let window = shape.window, n = channels * taps
        let tables = LocalProduct.Tables(
            termsOfA: Array(0..<positions),
            termsOfB: (0..<shape.y[2]).flatMap { row in
                (0..<shape.y[3]).map { row * window.strideH * source.partW + $0 * window.strideW }
            },
            columnsOfB: (0..<channels).flatMap { channel in
                (0..<taps).map { source.element(channel, $0 / shape.w[3], $0 % shape.w[3]) }
            }, columnsOfC: Array(0..<n))
        let product = LocalProduct(
            m: filters, n: n, terms: positions, segments: count, segmentsPerSlice: share, batches: groups,
            inners: groups,
            a: .init(
                line: positions, segment: groups * filters * positions, inner: filters * positions,
                hasNearTerms: true),
            b: .init(segment: groups * planes, inner: planes, hasNearTerms: true),
            c: .init(row: n, slice: shape.w.count, inner: filters * n), tables: tables)
        return product.launch([cotangents, images, sums], tile, target)
    }
}

extension PaddedSource {
    /// The same with rows and columns in their order, whatever the steps.
    fileprivate var unsorted: PaddedSource {
        var source = self
        if stepH > 1 || stepW > 1 {
            (source.partH, source.partW) = (height + 2 * top, width + 2 * left)
            (source.stepH, source.stepW, source.columnParts) = (1, 1, 1)
        }
        return source
    }

    /// Whether there is anything around the images.
    fileprivate var isPadded: Bool { (partH, partW) != (height, width) }
}
