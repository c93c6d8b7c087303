import CKernels
import Planner

/// A sum or maximum over axes.
struct CPUReduce: CPUKernel {
    private var shape = ls_reduction()
    private let kind: Reduction.Kind
    private let precision: Precision
    private let count: Int
    private let grain: Int

    init(_ kernel: Reduction, _ precision: Precision) {
        self.precision = precision
        kind = kernel.kind
        count = kernel.count
        grain = max(64, 65536 / max(1, kernel.terms)) / 64 * 64
        shape.kept_rank = Int32(kernel.kept.dims.count)
        shape.reduced_rank = Int32(kernel.reduced.dims.count)
        setArray(&shape.kept_dims, kernel.kept.dims)
        setArray(&shape.kept_strides, kernel.kept.strides[0])
        setArray(&shape.reduced_dims, kernel.reduced.dims)
        setArray(&shape.reduced_strides, kernel.reduced.strides[0])
    }

    func run(_ binding: CPUBinding) {
        withUnsafePointer(to: shape) { shape in
            Parallel.forRanges(count, grain: grain) { range in
                let (begin, end) = (Int64(range.lowerBound), Int64(range.upperBound))
                switch precision {
                case .float32:
                    let x = binding.operands[0].assumingMemoryBound(to: Float.self)
                    let y = binding.result.assumingMemoryBound(to: Float.self)
                    kind == .sum ? ls_sum_f32(shape, x, y, begin, end) : ls_max_f32(shape, x, y, begin, end)
                case .float64:
                    let x = binding.operands[0].assumingMemoryBound(to: Double.self)
                    let y = binding.result.assumingMemoryBound(to: Double.self)
                    kind == .sum ? ls_sum_f64(shape, x, y, begin, end) : ls_max_f64(shape, x, y, begin, end)
                }
            }
        }
    }
}
