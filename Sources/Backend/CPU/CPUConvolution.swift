import CKernels
import Foundation
import Planner

/// The convolution triple as matrix products with the patches of one image and group at a time.
///
/// Images are cut into a fixed number of pieces, each with its own patch matrix in the working memory; the
/// filter gradient sums the pieces in order, so results never depend on the number of cores.
struct CPUConvolution: CPUKernel {
    private let shape: Convolution
    private let blas: BLAS
    private var window = ls_window()

    init(_ shape: Convolution, _ precision: Precision) {
        self.shape = shape
        blas = BLAS(precision: precision)
        window = ls_window(
            channels: Int64(shape.w[1]), height: Int64(shape.x[2]), width: Int64(shape.x[3]),
            kernel_h: Int64(shape.w[2]), kernel_w: Int64(shape.w[3]), out_h: Int64(shape.y[2]),
            out_w: Int64(shape.y[3]), stride_h: Int64(shape.window.strideH),
            stride_w: Int64(shape.window.strideW), padding_h: Int64(shape.window.paddingH),
            padding_w: Int64(shape.window.paddingW))
    }

    /// Elements of working memory: patches of every piece, and their partial filter gradients.
    static func scratch(_ shape: Convolution) -> Int {
        let patches = pieces(shape) * patchCount(shape)
        return patches + (sumsPieces(shape) ? pieces(shape) * shape.w.count : 0)
    }

    private static func patchCount(_ shape: Convolution) -> Int {
        (shape.w[1] * shape.w[2] * shape.w[3] * shape.y[2] * shape.y[3] + 15) / 16 * 16
    }

    private static func pieces(_ shape: Convolution) -> Int { min(4, shape.x[0] * shape.window.groups) }

    /// Whether pieces of the filter gradient overlap: not if every piece owns whole groups.
    private static func sumsPieces(_ shape: Convolution) -> Bool {
        shape.role == .filterGradient && shape.window.groups < 4 && pieces(shape) > 1
    }

    func run(_ binding: CPUBinding) {
        let bytes = blas.precision.bytes
        let (samples, groups) = (shape.x[0], shape.window.groups)
        let pieces = Self.pieces(shape), patchCount = Self.patchCount(shape)
        let scratch = binding.scratch!
        if shape.role == .inputGradient { memset(binding.result, 0, shape.x.count * bytes) }
        let partials = scratch + pieces * patchCount * bytes
        let sums = Self.sumsPieces(shape)

        Parallel.forEach(pieces) { piece in
            let patches = scratch + piece * patchCount * bytes
            let target = sums ? partials + piece * shape.w.count * bytes : binding.result
            if shape.role == .filterGradient {
                // Whole groups per piece, or a share of the samples of all groups.
                let myGroups = sums || pieces == 1 ? 0..<groups : share(groups, piece, pieces)
                let mySamples = sums ? share(samples, piece, pieces) : 0..<samples
                for group in myGroups {
                    for sample in mySamples {
                        filterGradient(binding, sample, group, patches, target, mySamples.lowerBound)
                    }
                }
                if mySamples.isEmpty { memset(target, 0, shape.w.count * bytes) }
            } else {
                for index in share(samples * groups, piece, pieces) {
                    let (sample, group) = (index / groups, index % groups)
                    shape.role == .forward
                        ? forward(binding, sample, group, patches)
                        : inputGradient(binding, sample, group, patches)
                }
            }
        }
        if sums { add(partials, pieces, binding.result) }
    }

    private func share(_ count: Int, _ piece: Int, _ pieces: Int) -> Range<Int> {
        count * piece / pieces..<count * (piece + 1) / pieces
    }

    // Extents of one group: filters, terms of one output (patch rows), positions (patch columns).
    private var filters: Int { shape.w[0] / shape.window.groups }
    private var terms: Int { shape.w[1] * shape.w[2] * shape.w[3] }
    private var positions: Int { shape.y[2] * shape.y[3] }

    private func imageOffset(_ sample: Int, _ group: Int) -> Int {
        (sample * shape.x[1] + group * shape.w[1]) * shape.x[2] * shape.x[3] * blas.precision.bytes
    }
    private func resultOffset(_ sample: Int, _ group: Int) -> Int {
        (sample * shape.y[1] + group * filters) * positions * blas.precision.bytes
    }
    private func filterOffset(_ group: Int) -> Int { group * filters * terms * blas.precision.bytes }

    /// A 1×1 kernel that touches every pixel once: the image is its own patch matrix.
    private var isPointwise: Bool {
        shape.w[2] == 1 && shape.w[3] == 1 && shape.window.strideH == 1 && shape.window.strideW == 1
            && shape.window.paddingH == 0 && shape.window.paddingW == 0
    }

    private func unfold(_ image: UnsafeRawPointer, _ patches: UnsafeMutableRawPointer) -> UnsafeRawPointer {
        if isPointwise { return image }
        withUnsafePointer(to: window) { window in
            switch blas.precision {
            case .float32:
                ls_unfold_f32(
                    window, image.assumingMemoryBound(to: Float.self),
                    patches.assumingMemoryBound(to: Float.self))
            case .float64:
                ls_unfold_f64(
                    window, image.assumingMemoryBound(to: Double.self),
                    patches.assumingMemoryBound(to: Double.self))
            }
        }
        return UnsafeRawPointer(patches)
    }

    private func forward(_ b: CPUBinding, _ sample: Int, _ group: Int, _ patches: UnsafeMutableRawPointer) {
        let columns = unfold(b.operands[0] + imageOffset(sample, group), patches)
        blas.gemm(
            filters, positions, terms, b.operands[1] + filterOffset(group), terms, transposeA: false,
            columns, positions, transposeB: false, b.result + resultOffset(sample, group), positions)
    }

    private func inputGradient(
        _ b: CPUBinding, _ sample: Int, _ group: Int, _ patches: UnsafeMutableRawPointer
    ) {
        let image = b.result + imageOffset(sample, group)
        blas.gemm(
            terms, positions, filters, b.operands[1] + filterOffset(group), terms, transposeA: true,
            b.operands[0] + resultOffset(sample, group), positions, transposeB: false,
            isPointwise ? image : patches, positions)
        if isPointwise { return }
        withUnsafePointer(to: window) { window in
            switch blas.precision {
            case .float32:
                ls_fold_f32(
                    window, patches.assumingMemoryBound(to: Float.self),
                    image.assumingMemoryBound(to: Float.self))
            case .float64:
                ls_fold_f64(
                    window, patches.assumingMemoryBound(to: Double.self),
                    image.assumingMemoryBound(to: Double.self))
            }
        }
    }

    private func filterGradient(
        _ b: CPUBinding, _ sample: Int, _ group: Int, _ patches: UnsafeMutableRawPointer,
        _ target: UnsafeMutableRawPointer, _ firstSample: Int
    ) {
        let columns = unfold(b.operands[0] + imageOffset(sample, group), patches)
        blas.gemm(
            filters, terms, positions, b.operands[1] + resultOffset(sample, group), positions,
            transposeA: false,
            columns, positions, transposeB: true, beta: sample == firstSample ? 0 : 1,
            target + filterOffset(group), terms)
    }

    /// Sums the partial filter gradients of the pieces, in order.
    private func add(_ partials: UnsafeMutableRawPointer, _ pieces: Int, _ result: UnsafeMutableRawPointer) {
        let count = shape.w.count
        switch blas.precision {
        case .float32:
            let (from, to) = (
                partials.assumingMemoryBound(to: Float.self), result.assumingMemoryBound(to: Float.self)
            )
            for i in 0..<count { to[i] = (0..<pieces).reduce(Float(0)) { $0 + from[$1 * count + i] } }
        case .float64:
            let (from, to) = (
                partials.assumingMemoryBound(to: Double.self), result.assumingMemoryBound(to: Double.self)
            )
            for i in 0..<count { to[i] = (0..<pieces).reduce(0.0) { $0 + from[$1 * count + i] } }
        }
    }
}
