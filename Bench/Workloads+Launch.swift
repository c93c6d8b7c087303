import Graph
import Planner

extension Workload {
    /// Time of a step that has almost nothing to do: in a row of a hundred, and alone with a wait.
    static func launch(_ precision: Precision) -> [Workload] {
        [("back-to-back", 100), ("single", 1)].map { name, runs in
            Workload("launch/\(name)", quick: true, precision) { setting in
                let program = Program.trace { t in [("y", t.input("x", [64]) * 2)] }
                let bound = try BoundProgram(program, setting, precision)
                return PreparedWorkload(
                    start: bound.start,
                    check: {
                        Check(try bound.result(), bound.values["x"]!.map { 2 * $0 }, tolerance: 0)
                    }, runsPerTiming: runs)
            }
        }
    }
}
