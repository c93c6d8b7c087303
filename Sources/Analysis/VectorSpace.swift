import Backend
import Graph
import Planner

/// Vectors of one length on one device, and the algebra that solvers need. Coefficients are float64 on the host.
public final class VectorSpace {
    /// Length of a vector.
    public let dimension: Int
    /// The device.
    public let backend: any Backend
    /// Format of the elements.
    public let precision: Precision
    /// Compiled programs by name, and the small arrays that pass coefficients.
    private var programs: [String: any Executable] = [:]
    private var coefficients: [Int: [DeviceArray]] = [:]

    /// A space; programs are compiled when they are first needed.
    public init(_ dimension: Int, on backend: any Backend, _ precision: Precision) {
        (self.dimension, self.backend, self.precision) = (dimension, backend, precision)
    }

    /// A zero vector.
    public func vector() throws(BackendError) -> DeviceArray { try backend.allocate(dimension, precision) }

    /// `rows` zero vectors, one after the other.
    public func vectors(_ rows: Int) throws(BackendError) -> DeviceArray {
        try backend.allocate(rows * dimension, precision)
    }

    /// Vector `row` of an array of vectors.
    public func row(_ row: Int, of array: DeviceArray) -> DeviceSlice {
        array[row * dimension..<(row + 1) * dimension]
    }

    // MARK: Algebra

    /// ⟨a, b⟩.
    public func dot(_ a: DeviceSlice, _ b: DeviceSlice) throws(BackendError) -> Double {
        let n = dimension
        let program = try program("dot") { t in
            [("y", (t.input("a", [n]) * t.input("b", [n])).sum())]
        }
        let result = try small(1, 0)
        try program.run(inputs: [a, b], outputs: [result.all])
        return try backend.download(result.all)[0]
    }

    /// ‖a‖, scaled by the largest element so that neither tiny nor huge vectors lose their norm.
    public func norm(_ a: DeviceSlice) throws(BackendError) -> Double {
        let n = dimension
        let program = try program("norm") { t in
            let (scaled, top) = t.input("a", [n]).dividedByLargest([0])
            return [("top", top), ("squares", (scaled * scaled).sum())]
        }
        let (top, squares) = (try small(1, 0), try small(1, 1))
        try program.run(inputs: [a], outputs: [top.all, squares.all])
        return try backend.download(top.all)[0] * backend.download(squares.all)[0].squareRoot()
    }

    /// `result = factor·a`.
    public func scale(_ factor: Double, _ a: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        let n = dimension
        let program = try program("scale") { t in
            let factor = t.input("factor", [1]).broadcast(to: [n])
            return [("y", factor * t.input("a", [n]))]
        }
        let factor = try coefficient([factor])
        try program.run(inputs: [factor.all, a], outputs: [result])
    }

    /// `result = a + factor·b`.
    public func add(
        _ a: DeviceSlice, _ factor: Double, _ b: DeviceSlice, into result: DeviceSlice
    ) throws(BackendError) {
        let n = dimension
        let program = try program("add") { t in
            let factor = t.input("factor", [1]).broadcast(to: [n])
            return [("y", t.input("a", [n]) + factor * t.input("b", [n]))]
        }
        let factor = try coefficient([factor])
        try program.run(inputs: [factor.all, a, b], outputs: [result])
    }

    /// `result = a ∘ b`, element by element.
    public func multiply(_ a: DeviceSlice, _ b: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        let n = dimension
        let program = try program("multiply") { t in [("y", t.input("a", [n]) * t.input("b", [n]))] }
        try program.run(inputs: [a, b], outputs: [result])
    }

    /// Coefficients `⟨row, a⟩` of the first `rows` vectors of a basis.
    public func project(_ a: DeviceSlice, on basis: DeviceArray, _ rows: Int) throws(BackendError) -> [Double]
    {
        let (n, padded) = (dimension, paddedRows(rows, basis))
        let program = try program("project \(padded)") { t in
            [("y", t.input("basis", [padded, n]).matmul(t.input("a", [n, 1])))]
        }
        let result = try small(padded, 0)
        try program.run(inputs: [basis[0..<padded * n], a], outputs: [result.all])
        return Array(try backend.download(result.all).prefix(rows))
    }

    /// `result = a + Σ coefficients[i]·row i`.
    public func add(
        _ a: DeviceSlice, _ coefficients: [Double], of basis: DeviceArray, into result: DeviceSlice
    ) throws(BackendError) {
        let (n, padded) = (dimension, paddedRows(coefficients.count, basis))
        let program = try program("combine \(padded)") { t in
            let sum = t.input("c", [1, padded]).matmul(t.input("basis", [padded, n]))
            return [("y", t.input("a", [n]) + sum.reshaped([n]))]
        }
        let zeros = [Double](repeating: 0, count: padded - coefficients.count)
        let c = try coefficient(coefficients + zeros)
        try program.run(
            inputs: program.plan.inputs.map { port in
                switch port.name {
                case "c": c.all
                case "basis": basis[0..<padded * n]
                default: a
                }
            }, outputs: [result])
    }

    /// `result = a − Qᵀ·(Q·a)` for the first `rows` rows of a basis, whose further rows are zero; returns `Q·a`, on the
    /// device, until the next call. Nothing waits for the device.
    func reject(
        _ a: DeviceSlice, from basis: DeviceArray, _ rows: Int, into result: DeviceSlice
    ) throws(BackendError) -> DeviceArray {
        let (n, padded) = (dimension, paddedRows(rows, basis))
        let program = try program("reject \(padded)") { t in
            let (basis, a) = (t.input("basis", [padded, n]), t.input("a", [n, 1]))
            let c = basis.matmul(a)
            let sum = c.reshaped([1, padded]).matmul(basis)
            return [("y", a.reshaped([n]) - sum.reshaped([n])), ("c", c)]
        }
        let c = try small(padded, 0)
        try program.run(inputs: [basis[0..<padded * n], a], outputs: [result, c.all])
        return c
    }

    // MARK: Programs

    /// Few programs serve all row counts: counts are rounded up, further rows have coefficient zero.
    func paddedRows(_ rows: Int, _ basis: DeviceArray) -> Int {
        min(basis.count / dimension, (rows + 7) / 8 * 8)
    }

    func program(
        _ name: String, _ body: (Trace) -> [(String, Tensor)]
    ) throws(BackendError) -> any Executable {
        if let known = programs[name] { return known }
        let made = try backend.compile(.trace(body), precision)
        programs[name] = made
        return made
    }

    /// A small array for results, by length and place.
    func small(_ count: Int, _ place: Int) throws(BackendError) -> DeviceArray {
        while coefficients[count, default: []].count <= place {
            coefficients[count, default: []].append(try backend.allocate(count, precision))
        }
        return coefficients[count]![place]
    }

    /// A small array with the given values.
    func coefficient(_ values: [Double]) throws(BackendError) -> DeviceArray {
        let array = try small(values.count, 2)
        try backend.write(values, to: array.all)
        return array
    }
}
