import Planner

/// A fused chain over all elements of its result, see `ChainText`. On processors a work-item takes one run along the
/// innermost axis, or a piece of it; elsewhere one element.
///
/// Geometry: number of runs, or of elements; then the chain's.
struct OpenCLElementwise: OpenCLKernel {
    private let kernel: Elementwise
    private let target: OpenCLTarget

    init(_ kernel: Elementwise, _ target: OpenCLTarget) { (self.kernel, self.target) = (kernel, target) }

    /// Most elements of one run.
    private static let piece = 2048

    func launches(_ memory: StepMemory) -> [Launch] {
        let replaced = memory.operands.indices.filter { memory.operands[$0] == memory.result }
        let chain = ChainText(kernel, hasRuns: !target.style.hasManyItems, inPlace: Set(replaced))
        let width = kernel.walk.dims[kernel.walk.dims.count - 1]
        let rows = kernel.count / max(1, width)
        // Few long runs would leave most items of a group idle.
        let isGrouped = !chain.hasRuns || rows >= 16 * target.style.reductionGroup
        let group = isGrouped ? (chain.hasRuns ? target.style.reductionGroup : target.style.group) : 1
        let source = KernelSource(
            "elementwise", body: Self.body(chain), target, [("GROUP", group), ("V", target.lanes)])
        let pieces = (width + Self.piece - 1) / Self.piece
        return [
            Launch(
                source, chain.operands.map { memory.operands[$0] } + [memory.result],
                geometry: chain.geometry(chain.hasRuns ? rows : kernel.count, target),
                constants: kernel.constants,
                items: chain.hasRuns ? [rows, pieces] : [kernel.count], group: [group])
        ]
    }

    /// The kernel without its macros.
    private static func body(_ chain: ChainText) -> String {
        let result = ["global REAL *restrict y, long y0", "global const INDEX *g, int g0"]
        let parameters = (chain.operandParameters + result + chain.constantParameters).joined(separator: ", ")
        let compute =
            chain.hasRuns
            ? """
                const INDEX width = g[\(chain.width)], begin = (INDEX)get_global_id(1) * \(piece);
                const INDEX end = width - begin < \(piece) ? width : begin + \(piece);
                \(chain.call("run", y: "y", geometry: "g", "i, begin, end"));
            """ : "    y[i] = \(chain.call("value", y: "y[i]", geometry: "g", "i"));"
        return chain.text(
            andThen: """
                kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
                void NAME(\(parameters)) {
                    y += y0;
                    g += g0;
                    const INDEX i = (INDEX)get_global_id(0);
                    if (i >= g[0]) return;
                \(compute)
                }

                """)
    }
}
