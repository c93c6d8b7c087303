import Backend
import Graph
import Planner

/// The algebra of several vectors at once. A block is `[rows, dimension]`, one vector after the other.
extension VectorSpace {
    /// `⟨basis row, block row⟩` for the first `count` vectors of a basis: one list for every row of the block.
    func project(
        _ block: DeviceSlice, rows: Int, on basis: DeviceArray, _ count: Int
    ) throws(BackendError) -> [[Double]] {
        let (n, padded) = (dimension, paddedRows(count, basis))
        let program = try program("project \(rows) \(padded)") { t in
            let basis = t.input("basis", [padded, n])
            return [("y", basis.matmul(t.input("block", [rows, n]), transposeB: true))]
        }
        let result = try small(padded * rows, 0)
        try run(program, ["basis": basis[0..<padded * n], "block": block], into: result.all)
        let values = try backend.download(result.all)
        return (0..<rows).map { row in (0..<count).map { values[$0 * rows + row] } }
    }

    /// `result row = block row + Σ coefficients[row][i]·basis row i`.
    func add(
        _ block: DeviceSlice, _ coefficients: [[Double]], of basis: DeviceArray, into result: DeviceSlice
    ) throws(BackendError) {
        let (n, rows) = (dimension, coefficients.count)
        let padded = paddedRows(coefficients[0].count, basis)
        let program = try program("add \(rows) \(padded)") { t in
            let sum = t.input("c", [rows, padded]).matmul(t.input("basis", [padded, n]))
            return [("y", t.input("block", [rows, n]) + sum)]
        }
        let c = try coefficient(flat(coefficients, padded))
        try run(
            program, ["c": c.all, "basis": basis[0..<padded * n], "block": block], into: result)
    }

    /// `result row = Σ coefficients[row][i]·basis row i`.
    func combine(
        _ coefficients: [[Double]], of basis: DeviceArray, into result: DeviceSlice
    ) throws(BackendError) {
        let (n, rows) = (dimension, coefficients.count)
        let padded = paddedRows(coefficients[0].count, basis)
        let program = try program("rotate \(rows) \(padded)") { t in
            [("y", t.input("c", [rows, padded]).matmul(t.input("basis", [padded, n])))]
        }
        let c = try coefficient(flat(coefficients, padded))
        try run(program, ["c": c.all, "basis": basis[0..<padded * n]], into: result)
    }

    private func flat(_ rows: [[Double]], _ padded: Int) -> [Double] {
        rows.flatMap { $0 + [Double](repeating: 0, count: padded - $0.count) }
    }

    /// Runs a program of one output; the planner decides the order of inputs.
    private func run(
        _ program: any Executable, _ inputs: [String: DeviceSlice], into result: DeviceSlice
    ) throws(BackendError) {
        try program.run(
            inputs: program.plan.inputs.map { port in
                guard let slice = inputs[port.name] else {
                    preconditionFailure("nothing is bound to \(port.name)")
                }
                return slice
            }, outputs: [result])
    }
}
