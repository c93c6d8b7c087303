import CKernels
import Foundation
import Graph
import Planner

/// A tensor spread into zeros.
struct CPUPad: CPUKernel {
    private var shape = ls_padding()
    private let precision: Precision
    private let count: Int

    init(_ kernel: Padding, _ precision: Precision) {
        self.precision = precision
        count = kernel.whole.reduce(1, *)
        shape.rank = Int32(kernel.whole.count)
        setArray(&shape.part, kernel.part)
        setArray(&shape.starts, kernel.starts)
        setArray(&shape.steps, kernel.steps)
        setArray(&shape.whole_strides, Shape(kernel.whole).strides)
    }

    func run(_ binding: CPUBinding) {
        memset(binding.result, 0, count * precision.bytes)
        withUnsafePointer(to: shape) { shape in
            switch precision {
            case .float32:
                ls_pad_f32(
                    shape, binding.operands[0].assumingMemoryBound(to: Float.self),
                    binding.result.assumingMemoryBound(to: Float.self))
            case .float64:
                ls_pad_f64(
                    shape, binding.operands[0].assumingMemoryBound(to: Double.self),
                    binding.result.assumingMemoryBound(to: Double.self))
            }
        }
    }
}

/// Slices gathered from, or scattered to, an axis.
struct CPUIndexing: CPUKernel {
    private let kernel: Indexing
    private let scatters: Bool
    private let precision: Precision

    init(_ kernel: Indexing, scatters: Bool, _ precision: Precision) {
        (self.kernel, self.scatters, self.precision) = (kernel, scatters, precision)
    }

    func run(_ binding: CPUBinding) {
        let (axis, inner, indices) = (Int64(kernel.axis), Int64(kernel.inner), Int64(kernel.indices))
        let grain = max(1, 65536 / max(1, kernel.indices * kernel.inner))
        Parallel.forRanges(kernel.outer, grain: grain) { range in
            let (begin, end) = (Int64(range.lowerBound), Int64(range.upperBound))
            switch precision {
            case .float32:
                let x = binding.operands[0].assumingMemoryBound(to: Float.self)
                let index = binding.operands[1].assumingMemoryBound(to: Float.self)
                let y = binding.result.assumingMemoryBound(to: Float.self)
                let move = scatters ? ls_scatter_add_f32 : ls_gather_f32
                move(x, index, y, axis, inner, indices, begin, end)
            case .float64:
                let x = binding.operands[0].assumingMemoryBound(to: Double.self)
                let index = binding.operands[1].assumingMemoryBound(to: Double.self)
                let y = binding.result.assumingMemoryBound(to: Double.self)
                let move = scatters ? ls_scatter_add_f64 : ls_gather_f64
                move(x, index, y, axis, inner, indices, begin, end)
            }
        }
    }
}
