import CKernels
import Planner

/// A sum or maximum of a chain. Where results are few their terms are cut into parts, whose sums are added in order;
/// how they are cut depends on the shape alone.
struct CPUReduce: CPUKernel {
    private let chain: CPUChain
    private let precision: Precision
    private var shape = ls_reduction()
    /// Results of one piece of work.
    private let grain: Int

    init(_ kernel: Reduction, _ precision: Precision) {
        self.precision = precision
        let order = Self.termsAreOuter(kernel) ? (kernel.reduced, kernel.kept) : (kernel.kept, kernel.reduced)
        let walk = Walk(
            dims: order.0.dims + order.1.dims, strides: zip(order.0.strides, order.1.strides).map { $0 + $1 })
        chain = CPUChain(kernel.expression, kernel.constants, walk)
        let parts = Self.parts(kernel)
        shape.results = Int64(kernel.count)
        shape.terms = Int64(kernel.terms)
        shape.terms_are_outer = Self.termsAreOuter(kernel) ? 1 : 0
        shape.is_maximum = kernel.kind == .max ? 1 : 0
        shape.parts = Int64(parts)
        shape.part = Int64((kernel.terms + parts - 1) / parts)
        grain = Self.grain(kernel)
    }

    /// Elements of working memory: the parts of all results, in float64.
    static func scratch(_ kernel: Reduction, _ precision: Precision) -> Int {
        kernel.count * parts(kernel) * (8 / precision.bytes)
    }

    /// Whether whole rows of results are added, which is better where results lie side by side in memory.
    private static func termsAreOuter(_ kernel: Reduction) -> Bool {
        let largest = kernel.kept.strides.indices.max {
            kernel.kept.distinct($0) * kernel.reduced.distinct($0)
                < kernel.kept.distinct($1) * kernel.reduced.distinct($1)
        }
        guard let largest else { return false }
        return kernel.kept.strides[largest].last == 1 && kernel.reduced.strides[largest].last != 1
            && kernel.count > 1
    }

    private static let piece = 1 << 14

    private static func grain(_ kernel: Reduction) -> Int {
        if termsAreOuter(kernel) { return 2048 }
        return max(1, piece / max(1, kernel.terms))
    }

    /// Parts of every result's terms: one if there are results enough.
    private static func parts(_ kernel: Reduction) -> Int {
        let pieces = (kernel.count + grain(kernel) - 1) / grain(kernel)
        let work = kernel.terms * min(kernel.count, grain(kernel))
        return max(1, min(64 / max(1, pieces), work / piece, kernel.terms))
    }

    func run(_ binding: CPUBinding) {
        var shape = shape
        let partials = binding.scratch!.assumingMemoryBound(to: Double.self)
        let (count, parts) = (Int(shape.results), Int(shape.parts))
        let pieces = (count + grain - 1) / grain
        withUnsafePointer(to: chain.chain) { chain in
            shape.chain = chain
            withUnsafePointer(to: shape) { shape in
                binding.operands.withUnsafeBufferPointer { operands in
                    Parallel.forEach(pieces * parts) { index, _ in
                        let begin = index / parts * grain
                        ls_reduce(
                            precision.isWide, shape, operands.baseAddress, partials, Int64(begin),
                            Int64(min(count, begin + grain)), Int64(index % parts))
                    }
                }
                Parallel.forRanges(count, grain: max(1, Self.piece / parts)) { range in
                    ls_combine(
                        precision.isWide, shape, partials, binding.result, Int64(range.lowerBound),
                        Int64(range.upperBound))
                }
            }
        }
    }
}
