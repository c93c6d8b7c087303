import CKernels
import Planner

/// The chain that a product or convolution applies to its result, in place, while it is still in the cache.
struct CPUEpilogue {
    private let chain: CPUChain
    private let precision: Precision

    init?(_ kernel: Elementwise?, _ precision: Precision) {
        guard let kernel else { return nil }
        chain = CPUChain(kernel.expression, kernel.constants, kernel.walk)
        self.precision = precision
    }

    /// Where the chain's operands begin: the result itself, then the step's operands after its two factors.
    func operands(_ binding: CPUBinding) -> [UnsafeRawPointer] {
        [UnsafeRawPointer(binding.result)] + binding.operands.dropFirst(2)
    }

    /// Applies the chain to some elements of the result.
    func apply(_ range: Range<Int>, _ operands: [UnsafeRawPointer], _ result: UnsafeMutableRawPointer) {
        withUnsafePointer(to: chain.chain) { chain in
            operands.withUnsafeBufferPointer { operands in
                ls_elementwise(
                    precision.isWide, chain, operands.baseAddress, result, Int64(range.lowerBound),
                    Int64(range.upperBound))
            }
        }
    }

    /// Applies the chain to a block of a result whose rows have `width` elements and begin at element `first`.
    func apply(
        _ rows: Range<Int>, _ columns: Range<Int>, width: Int, from first: Int,
        _ operands: [UnsafeRawPointer], _ result: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: chain.chain) { chain in
            operands.withUnsafeBufferPointer { operands in
                ls_elementwise_rows(
                    precision.isWide, chain, operands.baseAddress, result,
                    Int64(first + rows.lowerBound * width + columns.lowerBound), Int64(columns.count),
                    Int64(rows.count), Int64(width))
            }
        }
    }

    /// Applies the chain to a result of `count` elements that is complete.
    func applyToAll(_ count: Int, _ binding: CPUBinding) {
        let operands = operands(binding)
        Parallel.forRanges(count, grain: 1 << 12) { apply($0, operands, binding.result) }
    }
}
