import Planner

/// The convolution triple as matrix products with the patches of some images at a time, as many as the limit
/// of working memory allows. Partial filter gradients of the pieces are combined in order.
struct OpenCLConvolution: OpenCLKernel {
    private let shape: Convolution
    private let target: OpenCLTarget
    /// Images of one piece.
    private let images: Int

    init(_ shape: Convolution, _ target: OpenCLTarget) {
        (self.shape, self.target) = (shape, target)
        let patches = shape.x[1] * shape.w[2] * shape.w[3] * shape.y[2] * shape.y[3]
        let limit = Self.isPointwise(shape) ? shape.x[0] : target.style.patchLimit / max(1, patches)
        images = max(1, min(limit, shape.x[0]))
    }

    var scratch: Int { patchCount + (parts > 1 ? parts * shape.w.count : 0) }

    func launches(_ memory: StepMemory) -> [Launch] {
        let steps = pieces.enumerated().flatMap { index, piece in
            switch shape.role {
            case .forward: forward(memory, piece)
            case .inputGradient: inputGradient(memory, piece)
            case .filterGradient: filterGradient(memory, piece, index)
            }
        }
        if parts == 1 { return steps }
        return steps + [
            OpenCLReduce.combine(
                memory.scratch(at: patchCount), memory.result, shape.w.count, parts, .sum, target)
        ]
    }

    // MARK: Extents

    private var groups: Int { shape.window.groups }
    /// Of one group: filters, terms of one output, positions.
    private var filters: Int { shape.w[0] / groups }
    private var terms: Int { shape.w[1] * shape.w[2] * shape.w[3] }
    private var positions: Int { shape.y[2] * shape.y[3] }
    /// Elements of one image, one result and its patches.
    private var imageCount: Int { shape.x[1] * shape.x[2] * shape.x[3] }
    private var resultCount: Int { shape.y[1] * positions }
    private var patchesOfImage: Int { groups * terms * positions }

    /// A 1×1 kernel that touches every pixel once: images are their own patches.
    private static func isPointwise(_ shape: Convolution) -> Bool {
        shape.w[2] == 1 && shape.w[3] == 1 && shape.window.strideH == 1 && shape.window.strideW == 1
            && shape.window.paddingH == 0 && shape.window.paddingW == 0
    }
    private var isPointwise: Bool { Self.isPointwise(shape) }

    private var patchCount: Int { isPointwise ? 0 : images * patchesOfImage }

    /// Ranges of images; one empty range where there are none, so that sums over them are cleared.
    private var pieces: [Range<Int>] {
        if shape.x[0] == 0 { return [0..<0] }
        return stride(from: 0, to: shape.x[0], by: images).map { $0..<min($0 + images, shape.x[0]) }
    }

    /// Partial filter gradients, of all slices of all pieces.
    private var parts: Int {
        if shape.role != .filterGradient { return 1 }
        return pieces.reduce(0) { $0 + filterProduct($1).slices(target).count }
    }

    // MARK: Launches

    private func forward(_ memory: StepMemory, _ piece: Range<Int>) -> [Launch] {
        var product = StridedProduct(
            m: filters, n: positions, terms: terms, batches: piece.count * groups, groups: groups,
            a: .init(line: terms, term: 1, inner: filters * terms),
            b: .init(line: 1, term: positions, outer: patchesOfImage, inner: terms * positions),
            c: .init(row: positions, column: 1, outer: resultCount, inner: filters * positions))
        product.orient(target)
        let (patches, unfold) = patches(memory, memory.operands[0], piece)
        let result = memory.result + piece.lowerBound * resultCount
        return unfold + [product.launch(memory.operands[1], patches, result, target.withoutSlices)]
    }

    private func inputGradient(_ memory: StepMemory, _ piece: Range<Int>) -> [Launch] {
        var product = StridedProduct(
            m: terms, n: positions, terms: filters, batches: piece.count * groups, groups: groups,
            a: .init(line: 1, term: terms, inner: filters * terms),
            b: .init(line: 1, term: positions, outer: resultCount, inner: filters * positions),
            c: .init(row: positions, column: 1, outer: patchesOfImage, inner: terms * positions))
        product.orient(target)
        let image = memory.result + piece.lowerBound * imageCount
        let patches = isPointwise ? image : memory.scratch(at: 0)
        let result = memory.operands[0] + piece.lowerBound * resultCount
        let launch = product.launch(memory.operands[1], result, patches, target.withoutSlices)
        return [launch] + (isPointwise ? [] : [fold(patches, image, piece.count)])
    }

    private func filterGradient(_ memory: StepMemory, _ piece: Range<Int>, _ index: Int) -> [Launch] {
        let product = filterProduct(piece)
        let (patches, unfold) = patches(memory, memory.operands[0], piece)
        let earlier = pieces[..<index].reduce(0) { $0 + filterProduct($1).slices(target).count }
        let into = parts == 1 ? memory.result : memory.scratch(at: patchCount + earlier * shape.w.count)
        let results = memory.operands[1] + piece.lowerBound * resultCount
        return unfold + [product.launch(results, patches, into, target)]
    }

    /// Σ over images and positions of result times patch. An image is a segment, unless it is one position.
    private func filterProduct(_ piece: Range<Int>) -> StridedProduct {
        let isOne = positions == 1
        var product = StridedProduct(
            m: filters, n: terms, terms: piece.count * positions, length: isOne ? nil : positions,
            batches: groups, groups: groups,
            a: .init(
                line: positions, term: isOne ? resultCount : 1, segment: resultCount,
                inner: filters * positions),
            b: .init(
                line: positions, term: isOne ? patchesOfImage : 1, segment: patchesOfImage,
                inner: terms * positions),
            c: .init(row: terms, column: 1, slice: shape.w.count, inner: filters * terms))
        product.orient(target)
        return product
    }

    /// The patches of some images, and what computes them.
    private func patches(_ memory: StepMemory, _ x: Buffer, _ piece: Range<Int>) -> (Buffer, [Launch]) {
        let images = x + piece.lowerBound * imageCount
        if isPointwise { return (images, []) }
        let patches = memory.scratch(at: 0), count = piece.count * shape.x[1]
        let (group, taps) = (target.style.group, shape.w[2] * shape.w[3])
        let launch =
            target.style.hasManyItems
            ? Launch(
                KernelSource(file: "unfold_items", target, [("GROUP", group)]), [images, patches],
                geometry: geometry(count), items: [positions, taps, count], group: [group])
            : Launch(
                KernelSource(file: "unfold_rows", target), [images, patches], geometry: geometry(count),
                items: [shape.w[3], shape.w[2], count])
        return (patches, [launch])
    }

    private func fold(_ patches: Buffer, _ images: Buffer, _ piece: Int) -> Launch {
        let (group, count) = (target.style.group, piece * shape.x[1])
        return target.style.hasManyItems
            ? Launch(
                KernelSource(file: "fold_items", target, [("GROUP", group)]), [patches, images],
                geometry: geometry(count), items: [shape.x[2] * shape.x[3], count], group: [group])
            : Launch(
                KernelSource(file: "fold_rows", target), [patches, images], geometry: geometry(count),
                items: [count])
    }

    private func geometry(_ images: Int) -> [Int] {
        [
            images, shape.x[2], shape.x[3], shape.w[2], shape.w[3], shape.y[2], shape.y[3],
            shape.window.strideH, shape.window.strideW, shape.window.paddingH, shape.window.paddingW,
        ]
    }
}

extension OpenCLTarget {
    /// For products that are never cut into slices.
    var withoutSlices: OpenCLTarget {
        var target = self
        target.style.parallelism = 0
        return target
    }
}
