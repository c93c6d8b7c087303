import CKernels
import Planner

/// A fused chain over all elements of its result.
struct CPUElementwise: CPUKernel {
    private let chain: CPUChain
    private let precision: Precision
    private let count: Int

    init(_ kernel: Elementwise, _ precision: Precision) {
        self.precision = precision
        count = kernel.count
        chain = CPUChain(kernel.expression, kernel.constants, kernel.walk)
    }

    func run(_ binding: CPUBinding) {
        // Some ten microseconds of work on one core, in whole blocks.
        let grain = 256 * max(16, 512 / max(1, chain.cost))
        withUnsafePointer(to: chain.chain) { chain in
            binding.operands.withUnsafeBufferPointer { operands in
                Parallel.forRanges(count, grain: grain) { range in
                    ls_elementwise(
                        precision.isWide, chain, operands.baseAddress, binding.result,
                        Int64(range.lowerBound),
                        Int64(range.upperBound))
                }
            }
        }
    }
}
