/// The definition of what every program means: a naive float64 evaluation, one node after the other.
///
/// Slow on purpose. Backends are tested against it, and `LANDSCAPE_VALIDATE=1` replays real runs on it.
public enum Interpreter {
    /// Evaluates a program; `inputs` by name, row-major. Returns the outputs in order.
    public static func run(_ program: Program, _ inputs: [String: [Double]]) -> [[Double]] {
        let live = program.liveness
        var values = [[Double]?](repeating: nil, count: program.nodes.count)
        for (id, node) in program.nodes.enumerated() where live[id] {
            if case .input(let name) = node.primitive {
                guard let given = inputs[name] else { preconditionFailure("input \"\(name)\" was not given") }
                precondition(
                    given.count == node.shape.count,
                    "input \"\(name)\" has shape \(node.shape), but \(given.count) elements were given")
                values[id] = given
            } else {
                let operands = node.operands.map { values[$0]! }
                values[id] = evaluate(node, operands, node.operands.map { program.nodes[$0].shape })
            }
        }
        return program.outputs.map { values[$0.node]! }
    }

    /// The value of one node from those of its operands.
    static func evaluate(_ node: Node, _ operands: [[Double]], _ shapes: [Shape]) -> [Double] {
        let shape = node.shape
        switch node.primitive {
        case .input: preconditionFailure("an input has no value of its own")
        case .constant(.fill(let value)): return [Double](repeating: value, count: shape.count)
        case .constant(.table(let table)): return table
        case .add: return zip(operands[0], operands[1]).map { $0 + $1 }
        case .mul: return zip(operands[0], operands[1]).map { $0 * $1 }
        case .greater: return zip(operands[0], operands[1]).map { $0 > $1 ? 1 : 0 }
        case .select:
            return operands[0].indices.map { operands[0][$0] != 0 ? operands[1][$0] : operands[2][$0] }
        case .elementwise(let function): return operands[0].map(function.rule.value)
        case .reshape: return operands[0]
        case .permute(let order):
            let strides = shapes[0].strides
            return walk(shape, order.map { strides[$0] }).map { operands[0][$0] }
        case .broadcast:
            return walk(shape, stretchStrides(shapes[0], shape)).map { operands[0][$0] }
        case .reduceSum:
            var result = [Double](repeating: 0, count: shape.count)
            for (i, target) in walk(shapes[0], stretchStrides(shape, shapes[0])).enumerated() {
                result[target] += operands[0][i]
            }
            return result
        case .reduceMax:
            var result = [Double](repeating: -.infinity, count: shape.count)
            for (i, target) in walk(shapes[0], stretchStrides(shape, shapes[0])).enumerated() {
                // A NaN stays: it is greater than nothing, and nothing replaces it.
                let value = operands[0][i]
                if value > result[target] || value.isNaN { result[target] = value }
            }
            return result
        case .slice(let starts, let steps):
            return window(of: shapes[0], part: shape, starts, steps).map { operands[0][$0] }
        case .pad(let starts, let steps):
            var result = [Double](repeating: 0, count: shape.count)
            for (i, target) in window(of: shape, part: shapes[0], starts, steps).enumerated() {
                result[target] = operands[0][i]
            }
            return result
        case .gather(let axis): return gather(operands[0], operands[1], axis, whole: shapes[0], part: shape)
        case .scatterAdd(let axis):
            return scatter(operands[0], operands[1], axis, whole: shape, part: shapes[0])
        case .matmul(let transposeA, let transposeB):
            return matmul(operands[0], operands[1], shapes[0], shape, transposeA, transposeB)
        case .conv(let window):
            return convolve(window, x: shapes[0], w: shapes[1], y: shape, count: shape.count) {
                result, x, w, y in
                result[y] += operands[0][x] * operands[1][w]
            }
        case .dgrad(let window):
            return convolve(window, x: shape, w: shapes[1], y: shapes[0], count: shape.count) {
                result, x, w, y in
                result[x] += operands[0][y] * operands[1][w]
            }
        case .wgrad(let window):
            return convolve(window, x: shapes[0], w: shape, y: shapes[1], count: shape.count) {
                result, x, w, y in
                result[w] += operands[0][x] * operands[1][y]
            }
        }
    }

    /// Offsets `Σ index·stride` of all indices of a shape in row-major order.
    private static func walk(_ shape: Shape, _ strides: [Int], from start: Int = 0) -> [Int] {
        var offsets = [start]
        for (extent, stride) in zip(shape.dims, strides) {
            offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
        }
        return offsets
    }

    /// Strides that read `small` while walking `large`: 0 along stretched axes.
    private static func stretchStrides(_ small: Shape, _ large: Shape) -> [Int] {
        zip(small.strides, zip(small.dims, large.dims)).map { $1.0 == $1.1 ? $0 : 0 }
    }

    private static func window(of whole: Shape, part: Shape, _ starts: [Int], _ steps: [Int]) -> [Int] {
        let first = zip(whole.strides, starts).reduce(0) { $0 + $1.0 * $1.1 }
        return walk(part, zip(whole.strides, steps).map { $0 * $1 }, from: first)
    }

    private static func index(_ value: Double, below count: Int) -> Int? {
        guard value >= 0, value < Double(count) else { return nil }
        return Int(value)
    }

    private static func gather(_ x: [Double], _ k: [Double], _ axis: Int, whole: Shape, part: Shape)
        -> [Double]
    {
        let inner = whole.dims.dropFirst(axis + 1).reduce(1, *)
        let outer = whole.dims.prefix(axis).reduce(1, *)
        var result = [Double](repeating: 0, count: part.count)
        for o in 0..<outer {
            for (j, value) in k.enumerated() {
                guard let row = index(value, below: whole[axis]) else { continue }
                for i in 0..<inner {
                    result[(o * k.count + j) * inner + i] = x[(o * whole[axis] + row) * inner + i]
                }
            }
        }
        return result
    }

    private static func scatter(_ x: [Double], _ k: [Double], _ axis: Int, whole: Shape, part: Shape)
        -> [Double]
    {
        let inner = whole.dims.dropFirst(axis + 1).reduce(1, *)
        let outer = whole.dims.prefix(axis).reduce(1, *)
        var result = [Double](repeating: 0, count: whole.count)
        for o in 0..<outer {
            for (j, value) in k.enumerated() {
                guard let row = index(value, below: whole[axis]) else { continue }
                for i in 0..<inner {
                    result[(o * whole[axis] + row) * inner + i] += x[(o * k.count + j) * inner + i]
                }
            }
        }
        return result
    }

    private static func matmul(
        _ a: [Double], _ b: [Double], _ shapeA: Shape, _ shape: Shape, _ transposeA: Bool, _ transposeB: Bool
    ) -> [Double] {
        let (m, n, k) = (shape[-2], shape[-1], shapeA[transposeA ? -2 : -1])
        let batches = shape.dims.dropLast(2).reduce(1, *)
        var result = [Double](repeating: 0, count: shape.count)
        for z in 0..<batches {
            for i in 0..<m {
                for j in 0..<n {
                    var sum = 0.0
                    for p in 0..<k {
                        let left = a[z * m * k + (transposeA ? p * m + i : i * k + p)]
                        let right = b[z * k * n + (transposeB ? j * k + p : p * n + j)]
                        sum += left * right
                    }
                    result[(z * m + i) * n + j] = sum
                }
            }
        }
        return result
    }

    /// Visits every product of the trilinear form Σ y·x·w with the three offsets.
    private static func convolve(
        _ window: Window, x: Shape, w: Shape, y: Shape, count: Int,
        _ visit: (inout [Double], _ x: Int, _ w: Int, _ y: Int) -> Void
    ) -> [Double] {
        var result = [Double](repeating: 0, count: count)
        let filtersPerGroup = w[0] / window.groups
        for n in 0..<x[0] {
            for f in 0..<w[0] {
                for c in 0..<w[1] {
                    let channel = f / filtersPerGroup * w[1] + c
                    for (u, v) in (0..<w[2]).flatMap({ u in (0..<w[3]).map { (u, $0) } }) {
                        for row in 0..<y[2] {
                            let inputRow = row * window.strideH + u - window.paddingH
                            guard inputRow >= 0, inputRow < x[2] else { continue }
                            for column in 0..<y[3] {
                                let inputColumn = column * window.strideW + v - window.paddingW
                                guard inputColumn >= 0, inputColumn < x[3] else { continue }
                                visit(
                                    &result, ((n * x[1] + channel) * x[2] + inputRow) * x[3] + inputColumn,
                                    ((f * w[1] + c) * w[2] + u) * w[3] + v,
                                    ((n * y[1] + f) * y[2] + row) * y[3] + column)
                            }
                        }
                    }
                }
            }
        }
        return result
    }
}
