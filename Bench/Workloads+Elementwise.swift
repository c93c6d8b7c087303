import Foundation
import Graph
import Models
import Planner

extension Workload {
    /// Functions and reductions of as many elements as the copy has.
    static func elementwise(_ precision: Precision) -> [Workload] {
        [
            sum(precision), sums(precision, axis: 1), sums(precision, axis: 0), tanh(precision),
            crossEntropy(precision),
        ]
    }

    private static func sum(_ precision: Precision) -> Workload {
        let program = Program.trace { t in [("y", t.input("x", [streamCount]).sum())] }
        return Workload("elementwise/sum", quick: true, precision) { setting in
            let bound = try BoundProgram(program, setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    let values = bound.values["x"]!
                    let scale = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    let error = abs(try bound.result()[0] - values.reduce(0, +)) / scale
                    return Check(error: error, tolerance: 64 * precision.epsilon)
                })
        }
    }

    /// Sums over the rows, or the columns, of a matrix.
    private static func sums(_ precision: Precision, axis: Int) -> Workload {
        let columns = 1 << 10, rows = streamCount / columns
        let program = Program.trace { t in [("y", t.input("x", [rows, columns]).sum([axis]))] }
        let id = axis == 1 ? "elementwise/sum-of-rows" : "elementwise/sum-of-columns"
        return Workload(id, quick: false, precision) { setting in
            let bound = try BoundProgram(program, setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    let values = bound.values["x"]!
                    var sums = [Double](repeating: 0, count: axis == 1 ? rows : columns)
                    for index in values.indices {
                        sums[axis == 1 ? index / columns : index % columns] += values[index]
                    }
                    let scale = Double(axis == 1 ? columns : rows).squareRoot()
                    let errors = zip(try bound.result(), sums).map { abs($0 - $1) / scale }
                    return Check(error: errors.max()!, tolerance: 64 * precision.epsilon)
                })
        }
    }

    private static func tanh(_ precision: Precision) -> Workload {
        let program = Program.trace { t in [("y", t.input("x", [streamCount]).tanh())] }
        return Workload("elementwise/tanh", quick: true, precision) { setting in
            let bound = try BoundProgram(program, setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    Check(
                        try bound.result(), bound.values["x"]!.map { Foundation.tanh($0) },
                        tolerance: 16 * precision.epsilon)
                })
        }
    }

    /// The cross-entropy of 1,000 classes, soft-max included, checked on rows from the whole length.
    private static func crossEntropy(_ precision: Precision) -> Workload {
        let classes = 1000, rows = streamCount / 2 / classes
        func program(_ rows: Int) -> Program {
            .trace { t in
                let logits = t.input("logits", [rows, classes]),
                    targets = t.input("targets", [rows, classes])
                return [("y", Loss.crossEntropy.perSample(logits, targets))]
            }
        }
        return Workload("elementwise/cross-entropy", quick: true, precision) { setting in
            let bound = try BoundProgram(program(rows), setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    let chosen = Array(stride(from: 0, to: rows, by: 131)) + [rows - 1]
                    let part = bound.values.mapValues { values in
                        chosen.flatMap { values[$0 * classes..<($0 + 1) * classes] }
                    }
                    let result = try bound.result()
                    return Check(
                        chosen.map { result[$0] }, Interpreter.run(program(chosen.count), part)[0],
                        tolerance: 256 * precision.epsilon)
                })
        }
    }
}
