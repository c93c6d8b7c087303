import Graph
import Planner

/// A tensor spread into zeros.
struct OpenCLPad: OpenCLKernel {
    private let target: OpenCLTarget
    private let count: Int
    /// Axes, neighbours merged where the inner one is filled whole.
    private var axes: [(part: Int, whole: Int, start: Int, step: Int)] = []

    init(_ kernel: Padding, _ target: OpenCLTarget) {
        self.init(
            part: kernel.part, whole: kernel.whole, starts: kernel.starts, steps: kernel.steps, target)
    }

    init(part: [Int], whole: [Int], starts: [Int], steps: [Int], _ target: OpenCLTarget) {
        self.target = target
        count = whole.reduce(1, *)
        for axis in whole.indices {
            let (part, whole) = (part[axis], whole[axis])
            let (start, step) = (starts[axis], steps[axis])
            if let last = axes.last, last.step == 1, part == whole, start == 0, step == 1 {
                axes[axes.count - 1] = (last.part * part, last.whole * whole, last.start * whole, 1)
            } else {
                axes.append((part, whole, start, step))
            }
        }
        if axes.isEmpty { axes = [(1, 1, 0, 1)] }
    }

    func launches(_ memory: StepMemory) -> [Launch] {
        [target.style.hasManyItems ? items(memory) : rows(memory)]
    }

    private func items(_ memory: StepMemory) -> Launch {
        let group = target.style.group
        let source = KernelSource(file: "pad_items", target, [("GROUP", group), ("RANK", axes.count)])
        let strides = Shape(axes.map(\.part)).strides
        var geometry = [count]
        for (axis, stride) in zip(axes, strides) {
            geometry += target.divisor(axis.whole) + [axis.start] + target.divisor(axis.step)
            geometry += [axis.part, stride]
        }
        return Launch(
            source, [memory.operands[0], memory.result], geometry: geometry, items: [count], group: [group])
    }

    private func rows(_ memory: StepMemory) -> Launch {
        let (group, piece) = (target.style.reductionGroup, 2048)
        let source = KernelSource(file: "pad_rows", target, [("GROUP", group), ("PIECE", piece)])
        let width = axes[axes.count - 1].whole, rows = count / max(1, width)
        let geometry =
            [rows, axes.count] + axes.reversed().flatMap { [$0.whole, $0.start, $0.step, $0.part] }
        return Launch(
            source, [memory.operands[0], memory.result], geometry: geometry,
            items: [rows, (width + piece - 1) / piece], group: [group])
    }
}

/// Slices gathered from, or scattered to, an axis.
struct OpenCLIndexing: OpenCLKernel {
    private let kernel: Indexing
    private let scatters: Bool
    private let target: OpenCLTarget

    init(_ kernel: Indexing, scatters: Bool, _ target: OpenCLTarget) {
        (self.kernel, self.scatters, self.target) = (kernel, scatters, target)
    }

    func launches(_ memory: StepMemory) -> [Launch] {
        let group = target.style.group
        let source = KernelSource(file: scatters ? "scatter_add" : "gather", target, [("GROUP", group)])
        let items = kernel.outer * kernel.inner * (scatters ? 1 : kernel.indices)
        let geometry =
            scatters
            ? [items, kernel.inner, kernel.indices, kernel.axis]
            : [items] + target.divisor(kernel.inner) + target.divisor(kernel.indices) + [kernel.axis]
        return [
            Launch(
                source, memory.operands + [memory.result], geometry: geometry, items: [items], group: [group])
        ]
    }
}
