import Planner

/// A sum or maximum over axes. Long reductions with few results are cut into slices, whose partial results
/// lie in the working memory and are combined in order. The cut depends on the shape only.
struct OpenCLReduce: OpenCLKernel {
    private let kernel: Reduction
    private let target: OpenCLTarget
    private let slices: Int, termsPerSlice: Int

    init(_ kernel: Reduction, _ target: OpenCLTarget) {
        (self.kernel, self.target) = (kernel, target)
        let most = min(kernel.terms / 1024, 65536 / max(1, kernel.count), 1024)
        termsPerSlice = max(1, (kernel.terms + max(1, most) - 1) / max(1, most))
        slices = max(1, (kernel.terms + termsPerSlice - 1) / termsPerSlice)
    }

    var scratch: Int { slices > 1 ? slices * kernel.count : 0 }

    func launches(_ memory: StepMemory) -> [Launch] {
        if kernel.terms <= 32 && !hasColumns { return [few(memory.operands[0], memory.result)] }
        let partial = slices > 1 ? memory.scratch(at: 0) : memory.result
        let first = hasColumns ? columns(memory.operands[0], partial) : runs(memory.operands[0], partial)
        if slices == 1 { return [first] }
        return [first, Self.combine(partial, memory.result, kernel.count, slices, kernel.kind, target)]
    }

    /// Whether neighbouring results come from neighbouring elements.
    private var hasColumns: Bool {
        !target.style.hasManyItems && kernel.kept.strides[0].last == 1
            && kernel.kept.dims[kernel.kept.dims.count - 1] >= columnLanes
    }

    private var columnLanes: Int {
        kernel.kept.dims[kernel.kept.dims.count - 1] >= target.lanes ? target.lanes : 4
    }

    private func macros(_ macros: [(String, Int?)]) -> [(String, Int?)] {
        kernel.kind == .max ? macros + [("MAXIMUM", nil)] : macros
    }

    private func pairs(_ walk: Walk, dropLast count: Int = 0) -> [Int] {
        zip(walk.dims, walk.strides[0]).dropLast(count).flatMap { [$0, $1] }
    }

    private func runs(_ operand: Buffer, _ result: Buffer) -> Launch {
        let group = target.style.reductionGroup
        let source = KernelSource(
            file: "reduce_runs", target, macros([("GROUP", group), ("V", target.lanes)]))
        let geometry =
            [kernel.count, kernel.terms, termsPerSlice, kernel.kept.dims.count, kernel.reduced.dims.count]
            + pairs(kernel.kept) + pairs(kernel.reduced)
        return Launch(
            source, [operand, result], geometry: geometry, items: [kernel.count, slices], group: [group])
    }

    private func few(_ operand: Buffer, _ result: Buffer) -> Launch {
        let group = target.style.group, rank = kernel.kept.dims.count
        let source = KernelSource(file: "reduce_few", target, macros([("GROUP", group), ("RANK", rank)]))
        var offsets = [0]
        for (extent, stride) in zip(kernel.reduced.dims, kernel.reduced.strides[0]) {
            offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
        }
        let kept = zip(kernel.kept.dims, kernel.kept.strides[0]).flatMap { target.divisor($0) + [$1] }
        return Launch(
            source, [operand, result], geometry: [kernel.count, kernel.terms] + kept + offsets,
            items: [kernel.count], group: [group])
    }

    private func columns(_ operand: Buffer, _ result: Buffer) -> Launch {
        let width = kernel.kept.dims[kernel.kept.dims.count - 1]
        let source = KernelSource(file: "reduce_columns", target, macros([("V", columnLanes)]))
        let geometry =
            [
                kernel.count, kernel.terms, termsPerSlice, width, kernel.kept.dims.count - 1,
                kernel.reduced.dims.count,
            ] + pairs(kernel.kept, dropLast: 1) + pairs(kernel.reduced)
        return Launch(
            source, [operand, result], geometry: geometry,
            items: [(width + columnLanes - 1) / columnLanes, kernel.count / width, slices])
    }

    /// The sum or maximum of `parts` partial results of each of `count` elements.
    static func combine(
        _ partial: Buffer, _ result: Buffer, _ count: Int, _ parts: Int, _ kind: Reduction.Kind,
        _ target: OpenCLTarget
    ) -> Launch {
        let group = target.style.reductionGroup
        let macros: [(String, Int?)] = [("GROUP", group)] + (kind == .max ? [("MAXIMUM", nil)] : [])
        return Launch(
            KernelSource(file: "combine", target, macros), [partial, result], geometry: [count, parts],
            items: [count], group: [group], finish: .values)
    }
}
