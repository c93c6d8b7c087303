import Planner

/// A sum or maximum over axes of a chain. Long reductions with few results are cut into slices, whose partial results
/// lie in the working memory and are combined in order. The cut depends on the shape only.
struct OpenCLReduce: OpenCLKernel {
    private let kernel: Reduction
    private let target: OpenCLTarget
    private let slices: Int, termsPerSlice: Int
    /// Vectors of neighbouring results, and how many of them at a time; nil if results are reduced one by one.
    private let columns: (lanes: Int, panels: Int)?

    init(_ kernel: Reduction, _ target: OpenCLTarget) {
        (self.kernel, self.target) = (kernel, target)
        columns = Self.columns(kernel, target)
        let most = min(kernel.terms / (columns == nil ? 1024 : 256), 65536 / max(1, kernel.count), 1024)
        termsPerSlice = max(1, (kernel.terms + max(1, most) - 1) / max(1, most))
        slices = max(1, (kernel.terms + termsPerSlice - 1) / termsPerSlice)
    }

    /// Neighbouring results are better where the largest operand has them side by side, and vectors can read all others.
    private static func columns(_ kernel: Reduction, _ target: OpenCLTarget) -> (lanes: Int, panels: Int)? {
        let (kept, reduced) = (kernel.kept, kernel.reduced), width = kept.dims[kept.dims.count - 1]
        let largest = kept.strides.indices.max {
            kept.distinct($0) * reduced.distinct($0) < kept.distinct($1) * reduced.distinct($1)
        }
        guard !target.style.hasManyItems, let largest, kept.strides[largest].last == 1,
            kept.strides.allSatisfy({ $0.last == 0 || $0.last == 1 }), width >= 4
        else { return nil }
        let lanes = width >= target.lanes ? target.lanes : 4
        return (lanes, [8, 4].first { width >= $0 * lanes } ?? 1)
    }

    var scratch: Int { slices > 1 ? slices * kernel.count : 0 }

    func launches(_ memory: StepMemory) -> [Launch] {
        if kernel.terms <= 32 && columns == nil { return [few(memory.operands, memory.result)] }
        let partial = slices > 1 ? memory.scratch(at: 0) : memory.result
        let first = columns.map { columns(memory.operands, partial, $0.lanes, $0.panels) }
        let launch = first ?? runs(memory.operands, partial)
        if slices == 1 { return [launch] }
        return [launch, Self.combine(partial, memory.result, kernel.count, slices, kernel.kind, target)]
    }

    /// A launch of a kernel, which reads vectors if the operands' strides between lanes are given.
    private func launch(
        _ family: String, _ macros: [(String, Int?)], lanes strides: [Int]?, _ operands: [Buffer],
        _ result: Buffer, geometry: [Int], items: [Int], group: [Int] = []
    ) -> Launch {
        let all = kernel.kind == .max ? macros + [("MAXIMUM", nil)] : macros
        let source = KernelSource(file: family, using: ["reduce_terms"], target, all)
            .behind(kernel.termText(lanes: strides))
        return Launch(
            source, operands + [result], geometry: geometry,
            constants: kernel.isPlain ? [] : kernel.constants,
            items: items, group: group)
    }

    /// Every axis as `reduce_terms` reads it: its extent and all operands' strides.
    private func axes(_ walk: Walk, extent: (Int) -> [Int] = { [$0] }) -> [Int] {
        walk.dims.indices.flatMap { axis in extent(walk.dims[axis]) + walk.strides.map { $0[axis] } }
    }

    private func runs(_ operands: [Buffer], _ result: Buffer) -> Launch {
        let group = target.style.reductionGroup, inner = kernel.reduced.strides.map { $0[$0.count - 1] }
        return launch(
            "reduce_runs", [("GROUP", group), ("V", target.lanes)], lanes: inner, operands, result,
            geometry: [
                kernel.count, kernel.terms, termsPerSlice, kernel.kept.dims.count, kernel.reduced.dims.count,
                inner.allSatisfy { $0 == 0 || $0 == 1 } ? 1 : 0,
            ] + axes(kernel.kept) + axes(kernel.reduced),
            items: [kernel.count, slices], group: [group])
    }

    private func few(_ operands: [Buffer], _ result: Buffer) -> Launch {
        let group = target.style.group
        var offsets = [kernel.reduced.strides.map { _ in 0 }]
        for (axis, extent) in kernel.reduced.dims.enumerated() {
            offsets = offsets.flatMap { base in
                (0..<extent).map { i in zip(base, kernel.reduced.strides).map { $0 + i * $1[axis] } }
            }
        }
        return launch(
            "reduce_few", [("GROUP", group), ("RANK", kernel.kept.dims.count)], lanes: nil, operands, result,
            geometry: [kernel.count, kernel.terms] + axes(kernel.kept, extent: target.divisor)
                + offsets.flatMap { $0 },
            items: [kernel.count], group: [group])
    }

    private func columns(_ operands: [Buffer], _ result: Buffer, _ lanes: Int, _ panels: Int) -> Launch {
        let width = kernel.kept.dims[kernel.kept.dims.count - 1], block = lanes * panels
        return launch(
            "reduce_columns", [("V", lanes), ("PANELS", panels)],
            lanes: kernel.kept.strides.map { $0[$0.count - 1] }, operands, result,
            geometry: [
                kernel.count, kernel.terms, termsPerSlice, kernel.kept.dims.count, kernel.reduced.dims.count,
            ] + axes(kernel.kept) + axes(kernel.reduced),
            items: [(width + block - 1) / block, kernel.count / width, slices])
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
