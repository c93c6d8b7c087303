import Backend
import Graph
import Planner

/// The programs of a pass for `width` vectors at once, planned but not compiled: what it will cost.
struct PassParts {
    /// A program and its plan.
    struct Part {
        let program: Program
        let plan: Plan
    }

    /// Vectors of one pass.
    let width: Int
    /// Where the parts of vectors and results lie.
    let layout: ParameterLayout
    /// The program as it is.
    let program: Program
    /// What is left to do where values are held.
    let rest: Part?
    /// The program for batches that are not held; nil where all are.
    let whole: Part?
    /// Bytes that the pass moves for one vector and one batch. Blocks are read and written once more on their way into
    /// and out of their order.
    let bytesPerVector: Int

    init(
        _ program: Program, over layout: ParameterLayout, of risk: Risk, batchSize: Int, held: HeldValues?,
        width: Int
    ) throws(BackendError) {
        func stacked(_ program: Program) -> Program {
            width == 1
                ? program
                : program.stacked(width) { $0.hasPrefix("v of ") || $0.hasPrefix("sum of ") }
        }
        func part(_ program: Program) throws(BackendError) -> Part {
            Part(program: program, plan: try risk.space.backend.plan(program, risk.space.precision))
        }
        (self.width, self.layout) = (width, layout)
        self.program = stacked(program)
        rest = if let held { try part(stacked(held.rest)) } else { nil }
        whole = held?.holdsAll == true ? nil : try part(self.program)
        let copied = width == 1 ? 0 : 4 * width * layout.count * risk.space.precision.bytes
        let moved = (rest ?? whole)?.plan.bytesMoved ?? 0
        bytesPerVector = (moved + copied / risk.data.batchCount(of: batchSize)) / width
    }
}
