import CKernels
import Foundation
import Planner

/// The convolution triple. Images and groups are shared among threads; every image's patches are gathered while its
/// product is computed.
///
/// The filter gradient is summed over a fixed number of pieces of the images, which are then added in order, so
/// results never depend on the number of threads.
final class CPUConvolution: CPUKernel {
    private let shape: Convolution
    private let precision: Precision
    private let plan: OpaquePointer
    private let packedCount: Int, workCount: Int
    /// Images that may be computed at once.
    private let together: Int
    private let epilogue: CPUEpilogue?

    init(_ shape: Convolution, _ precision: Precision, usesWinograd: Bool) {
        (self.shape, self.precision) = (shape, precision)
        epilogue = CPUEpilogue(shape.epilogue, precision)
        plan = Self.makePlan(shape, precision, usesWinograd)
        packedCount = Int(ls_conv_packed(plan))
        workCount = Int(ls_conv_work(plan))
        together = Int(ls_conv_together(plan))
    }

    deinit { ls_conv_free(plan) }

    private static func makePlan(
        _ shape: Convolution, _ precision: Precision, _ usesWinograd: Bool
    ) -> OpaquePointer {
        var window = ls_window(
            channels: Int64(shape.w[1]), height: Int64(shape.x[2]), width: Int64(shape.x[3]),
            kernel_h: Int64(shape.w[2]), kernel_w: Int64(shape.w[3]), out_h: Int64(shape.y[2]),
            out_w: Int64(shape.y[3]), stride_h: Int64(shape.window.strideH),
            stride_w: Int64(shape.window.strideW), padding_h: Int64(shape.window.paddingH),
            padding_w: Int64(shape.window.paddingW))
        let role =
            switch shape.role {
            case .forward: LS_CONV_FORWARD
            case .inputGradient: LS_CONV_INPUT
            case .filterGradient: LS_CONV_FILTER
            }
        return ls_conv_make(
            precision.isWide, Int32(role), &window, Int64(shape.w[0] / shape.window.groups),
            usesWinograd ? 1 : 0)
    }

    /// Whether places in padded images, of which up to 8 lie together, would not fit 32 bits.
    static func isTooLarge(_ shape: Convolution) -> Bool {
        let window = shape.window
        let (height, width) = (shape.x[2] + 2 * window.paddingH, shape.x[3] + 2 * window.paddingW)
        let source = shape.w[1] * (height + window.strideH) * (width + window.strideW)
        let result = shape.w[0] / window.groups * (shape.y[2] + shape.w[2]) * (shape.y[3] + shape.w[3])
        return max(source, result) > 1 << 27
    }

    /// Elements of working memory: packed filters or partial filter gradients, and every thread's patches.
    static func scratch(_ shape: Convolution, _ precision: Precision, usesWinograd: Bool) -> Int {
        let kernel = CPUConvolution(shape, precision, usesWinograd: usesWinograd)
        return kernel.sharedCount + Parallel.threads * kernel.workCount
    }

    /// Elements that all threads share.
    private var sharedCount: Int {
        if shape.role == .filterGradient { return pieces * shape.w.count }
        return (groups * packedCount + 15) / 16 * 16
    }

    func run(_ binding: CPUBinding) {
        let work = binding.scratch! + sharedCount * bytes
        func own(_ thread: Int) -> UnsafeMutableRawPointer { work + thread * workCount * bytes }
        if shape.role == .filterGradient { return filterGradient(binding, own) }

        let packed = binding.scratch!
        let stretches = stretches(packedCount)
        Parallel.forEach(groups * stretches) { index, _ in
            let (group, stretch) = (index / stretches, index % stretches)
            ls_conv_pack(
                precision.isWide, plan, binding.operands[1] + group * filterCount * bytes,
                packed + group * packedCount * bytes, Int64(stretch), Int64(stretches))
        }
        // Some images share vectors; where there are few images, each is cut into parts.
        let samples = shape.x[0], images = samples * groups
        let parts = images >= 3 * Parallel.threads ? 1 : 4
        let together = images >= 3 * Parallel.threads * together ? together : 1
        let blocks = (samples + together - 1) / together
        let (sourceCount, targetCount) =
            shape.role == .forward ? (imageCount, resultCount) : (resultCount, imageCount)
        let loads = epilogue?.operands(binding)
        Parallel.forEach(blocks * groups * parts) { index, thread in
            let (item, part) = (index / parts, index % parts)
            let (block, group) = (item / groups, item % groups)
            let mine = block * together..<min(samples, (block + 1) * together)
            let first = mine.lowerBound * groups + group
            ls_conv_images(
                precision.isWide, plan, binding.operands[0] + first * sourceCount * bytes,
                Int64(groups * sourceCount), packed + group * packedCount * bytes,
                binding.result + first * targetCount * bytes, Int64(groups * targetCount), Int64(mine.count),
                own(thread), Int64(part), Int64(parts))
            if parts == 1, let epilogue, let loads {
                for sample in mine {
                    let image = sample * groups + group
                    epilogue.apply(image * targetCount..<(image + 1) * targetCount, loads, binding.result)
                }
            }
        }
        if parts > 1 { epilogue?.applyToAll(images * targetCount, binding) }
    }

    private func filterGradient(_ binding: CPUBinding, _ own: (Int) -> UnsafeMutableRawPointer) {
        let (samples, sums, pieces) = (shape.x[0], binding.scratch!, pieces)
        Parallel.forEach(groups * pieces) { index, thread in
            let (group, piece) = (index / pieces, index % pieces)
            let mine = sums + (piece * shape.w.count + group * filterCount) * bytes
            let range = samples * piece / pieces..<samples * (piece + 1) / pieces
            let first = range.lowerBound * groups + group
            if !range.isEmpty {
                ls_conv_sum(
                    precision.isWide, plan, binding.operands[0] + first * imageCount * bytes,
                    Int64(groups * imageCount), binding.operands[1] + first * resultCount * bytes,
                    Int64(groups * resultCount), Int64(range.count), mine, own(thread))
            }
            if range.isEmpty { memset(mine, 0, filterCount * bytes) }
        }
        let stretches = stretches(pieces * filterCount)
        let filters = shape.w[0] / groups
        Parallel.forEach(groups * stretches) { index, _ in
            let (group, stretch) = (index / stretches, index % stretches)
            let place = group * filterCount * bytes
            ls_conv_finish(
                precision.isWide, plan, sums + place, Int64(pieces), Int64(shape.w.count),
                binding.result + place, Int64(filters * stretch / stretches),
                Int64(filters * (stretch + 1) / stretches))
        }
        epilogue?.applyToAll(shape.w.count, binding)
    }

    private var bytes: Int { precision.bytes }
    private var groups: Int { shape.window.groups }
    /// Elements of one group: of its filters, of one image, of one result.
    private var filterCount: Int { shape.w.count / groups }
    private var imageCount: Int { shape.w[1] * shape.x[2] * shape.x[3] }
    private var resultCount: Int { shape.w[0] / groups * shape.y[2] * shape.y[3] }

    /// Stretches into which work on `count` elements of one group is cut, large enough to be worth handing over.
    private func stretches(_ count: Int) -> Int {
        groups > 1 ? 1 : max(1, min(4 * Parallel.threads, count / (1 << 13)))
    }

    /// Partial filter gradients: more of them keep more threads busy and take more memory.
    private var pieces: Int {
        if groups >= 16 { return 1 }
        return max(1, min(16, shape.x[0], (1 << 22) / max(1, shape.w.count)))
    }
}
