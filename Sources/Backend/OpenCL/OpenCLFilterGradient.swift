import Planner

/// The filter gradient of a convolution for processors. Vectors hold channels or positions, whichever wastes fewer
/// lanes. Images are cut into pieces by their number alone, and the pieces' sums are added in order.
struct OpenCLFilterGradient: OpenCLKernel {
    private let shape: Convolution
    private let target: OpenCLTarget
    private let source: PaddedSource
    private let work: ImageWork
    private let isByPositions: Bool
    private let imagesOfPiece: Int, pieces: Int

    init(_ shape: Convolution, _ target: OpenCLTarget) {
        (self.shape, self.target) = (shape, target)
        source = PaddedSource(shape)
        imagesOfPiece = max(1, tiles(shape.x[0], 16))
        pieces = tiles(shape.x[0], imagesOfPiece)
        let cut = Cut(shape, source, target)
        isByPositions = cut.byPositions < cut.byChannels
        let positions = shape.y[2] * shape.y[3]
        let (fixed, perLine) =
            isByPositions
            ? (
                aligned(source.count(target)) + Cut.filters * cut.vectors * target.lanes,
                cut.wholeTerms * target.lanes
            )
            : (Cut.batch(positions) * cut.lastCount + 4 * target.lanes, Cut.batch(positions) * positions)
        work = ImageWork(
            images: pieces * shape.window.groups, lines: shape.w[0] / shape.window.groups, fixed: fixed,
            perLine: perLine, target)
        self.cut = cut
    }

    private let cut: Cut

    /// How the two ways cut a filter gradient.
    private struct Cut {
        /// Filters and terms of a tile with positions in its lanes.
        static let filters = 2
        let taps: Int
        let terms: Int, wholeTerms: Int
        /// Vectors of all padded rows, vectors of a kernel row.
        let vectors: Int, across: Int
        /// Elements of an image with its channels last, and of one of its rows.
        let lastCount: Int, lastRow: Int
        /// Vectors that are computed, up to a common factor.
        let byChannels: Int, byPositions: Int

        init(_ shape: Convolution, _ source: PaddedSource, _ target: OpenCLTarget) {
            let (w, lines) = (shape.w, shape.w[0] / shape.window.groups)
            taps = target.style.tileRows == 8 ? 9 : 4
            terms = w[1] * w[2] * w[3]
            wholeTerms = tiles(terms, taps) * taps
            vectors = tiles((shape.y[2] - 1) * source.partW + shape.y[3], target.lanes)
            across = tiles(w[3] * w[1], target.lanes)
            lastRow = (source.width + 2 * source.left) * w[1]
            lastCount = (source.height + 2 * source.top) * lastRow
            byChannels =
                tiles(lines, target.style.tileRows) * target.style.tileRows * w[2] * across * shape.y[2]
                * shape.y[3]
            byPositions = tiles(lines, Self.filters) * Self.filters * wholeTerms * vectors
        }

        /// Images whose positions are summed together.
        static func batch(_ positions: Int) -> Int { max(1, min(8, 384 / max(1, positions))) }
    }

    private var filters: Int { shape.w[0] / shape.window.groups }
    private var groups: Int { shape.window.groups }
    /// Elements of one filter's sums.
    private var row: Int { isByPositions ? cut.terms : shape.w[2] * cut.across * target.lanes }
    private var sumCount: Int { aligned(max(1, pieces) * shape.w[0] * row) }

    var scratch: Int { sumCount + work.count }

    func launches(_ memory: StepMemory) -> [Launch] {
        let buffers = [
            memory.operands[1], memory.operands[0], memory.scratch(at: 0), memory.scratch(at: sumCount),
        ]
        let (c, kernelH, kernelW) = (shape.w[1], shape.w[2], shape.w[3])
        let distances =
            isByPositions
            ? [kernelH * kernelW, kernelW, 1] : [1, cut.across * target.lanes, c]
        return [
            isByPositions ? byPositions(buffers) : byChannels(buffers),
            Launch(
                KernelSource(file: "conv_finish", target), [memory.scratch(at: 0), memory.result],
                geometry: [shape.w[0], pieces, c, kernelH, kernelW, shape.w[0] * row, row] + distances,
                items: [shape.w[0]], finish: .values),
        ]
    }

    private func byChannels(_ buffers: [Buffer]) -> Launch {
        let (w, y, window) = (shape.w, shape.y, shape.window)
        let positions = y[2] * y[3], batch = Cut.batch(positions)
        let off = (0..<batch).flatMap { image in
            (0..<positions).map { position in
                image * cut.lastCount + position / y[3] * window.strideH * cut.lastRow
                    + position % y[3] * window.strideW * w[1]
            }
        }
        return Launch(
            KernelSource(convolution: "conv_sums", ["rotate", "turn"], target), buffers,
            geometry: [
                work.runs, work.blocks, work.block, filters, groups, work.perItem, work.fixed, cut.lastCount,
                batch, shape.x[0], imagesOfPiece, positions, 384, w[2], cut.across, cut.lastRow,
                source.top * cut.lastRow + source.left * w[1], w[1], source.height, source.width,
                source.width + 2 * source.left,
            ] + off,
            items: [work.items])
    }

    private func byPositions(_ buffers: [Buffer]) -> Launch {
        let (w, y) = (shape.w, shape.y)
        let off = (0..<cut.wholeTerms).map { term in
            // A tile's last terms may be one term again and again; these sums are not read.
            let term = min(term, cut.terms - 1)
            return source.element(
                term / (w[2] * w[3]), term % (w[2] * w[3]) / w[3], term % w[3])
        }
        return Launch(
            KernelSource(
                file: "conv_taps", using: ["image"], target,
                [("FILTERS", Cut.filters), ("TAPS", cut.taps), ("V", target.lanes)]),
            buffers,
            geometry: [
                work.runs, work.blocks, work.block, filters, groups, work.perItem,
                aligned(source.count(target)), Cut.filters * cut.vectors * target.lanes, shape.x[0],
                imagesOfPiece, y[2], y[3], cut.vectors, cut.terms, cut.wholeTerms,
            ] + source.geometry + off,
            items: [work.items])
    }
}
