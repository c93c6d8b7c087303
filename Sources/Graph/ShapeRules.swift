/// What is wrong with the shapes of a node, or nil. Shared by tracing, the verifier and the planner.
func shapeProblem(of node: Node, operands: [Shape]) -> String? {
    let result = node.shape
    guard operands.count == node.primitive.arity else {
        return "takes \(node.primitive.arity) operands, found \(operands.count)"
    }
    func expect(_ holds: Bool, _ rule: String) -> String? {
        holds
            ? nil
            : "\(rule); operands \(operands.map(\.description).joined(separator: ", ")), result \(result)"
    }
    switch node.primitive {
    case .input: return nil
    case .constant(let literal):
        guard case .table(let table) = literal else { return nil }
        return expect(table.count == result.count, "a table of \(table.count) elements")
    case .add, .mul, .select, .greater, .elementwise:
        return expect(operands.allSatisfy { $0 == result }, "operands and result have one shape")
    case .reshape: return expect(operands[0].count == result.count, "the number of elements stays")
    case .permute(let order):
        let valid = order.sorted() == Array(0..<operands[0].rank)
        return expect(
            valid && result.dims == order.map { operands[0].dims[$0] }, "axes are reordered by \(order)")
    case .broadcast:
        return expect(
            isStretch(from: operands[0], to: result), "axes of extent 1 are repeated, the rank stays")
    case .reduceSum, .reduceMax:
        if case .reduceMax = node.primitive, operands[0].count == 0 { return "the maximum of nothing" }
        return expect(
            isStretch(from: result, to: operands[0]), "axes are reduced to extent 1, the rank stays")
    case .slice(let starts, let steps):
        return expect(
            fits(operands[0], result, starts, steps), "starts \(starts), steps \(steps) stay inside")
    case .pad(let starts, let steps):
        return expect(
            fits(result, operands[0], starts, steps), "starts \(starts), steps \(steps) stay inside")
    case .gather(let axis):
        return indexProblem(whole: operands[0], part: result, index: operands[1], axis: axis)
    case .scatterAdd(let axis):
        return indexProblem(whole: result, part: operands[0], index: operands[1], axis: axis)
    case .matmul(let transposeA, let transposeB):
        return matmulProblem(operands[0], operands[1], result, transposeA, transposeB)
    case .conv(let window): return windowProblem(window, x: operands[0], w: operands[1], y: result)
    case .dgrad(let window): return windowProblem(window, x: result, w: operands[1], y: operands[0])
    case .wgrad(let window): return windowProblem(window, x: operands[0], w: result, y: operands[1])
    }
}

private func isStretch(from small: Shape, to large: Shape) -> Bool {
    small.rank == large.rank && zip(small.dims, large.dims).allSatisfy { $0 == $1 || $0 == 1 }
}

private func fits(_ whole: Shape, _ part: Shape, _ starts: [Int], _ steps: [Int]) -> Bool {
    guard whole.rank == part.rank, starts.count == whole.rank, steps.count == whole.rank else { return false }
    return whole.dims.indices.allSatisfy { axis in
        let last = starts[axis] + (part.dims[axis] - 1) * steps[axis]
        return starts[axis] >= 0 && steps[axis] > 0 && (part.dims[axis] == 0 || last < whole.dims[axis])
    }
}

private func indexProblem(whole: Shape, part: Shape, index: Shape, axis: Int) -> String? {
    guard index.rank == 1, axis >= 0, axis < whole.rank, part.rank == whole.rank else {
        return "indices \(index) along axis \(axis) between \(whole) and \(part)"
    }
    var expected = whole
    expected[axis] = index.count
    return part == expected
        ? nil : "\(index.count) indices along axis \(axis) of \(whole) do not give \(part)"
}

private func matmulProblem(_ a: Shape, _ b: Shape, _ y: Shape, _ transA: Bool, _ transB: Bool) -> String? {
    let operands = "operands \(a)\(transA ? "ᵀ" : ""), \(b)\(transB ? "ᵀ" : ""), result \(y)"
    guard a.rank >= 2, a.rank == b.rank, y.rank == a.rank else { return "matrices of one rank; \(operands)" }
    guard a.dims.dropLast(2) == b.dims.dropLast(2), y.dims.dropLast(2) == a.dims.dropLast(2) else {
        return "leading axes agree; \(operands)"
    }
    let (m, k) = transA ? (a[-1], a[-2]) : (a[-2], a[-1])
    let (k2, n) = transB ? (b[-1], b[-2]) : (b[-2], b[-1])
    return k == k2 && y[-2] == m && y[-1] == n ? nil : "inner extents agree; \(operands)"
}

private func windowProblem(_ window: Window, x: Shape, w: Shape, y: Shape) -> String? {
    let shapes = "images \(x), filters \(w), result \(y), \(window)"
    guard x.rank == 4, w.rank == 4, y.rank == 4 else { return "shapes have 4 axes; \(shapes)" }
    guard x[1] % window.groups == 0, w[0] % window.groups == 0, w[1] == x[1] / window.groups else {
        return "channels agree; \(shapes)"
    }
    guard x[0] == y[0], y[1] == w[0] else { return "samples and filters agree; \(shapes)" }
    guard x[2] + 2 * window.paddingH >= w[2], x[3] + 2 * window.paddingW >= w[3] else {
        return "the kernel is no larger than the padded image; \(shapes)"
    }
    let size = window.outputSize(height: x[2], width: x[3], kernelH: w[2], kernelW: w[3])
    return (y[2], y[3]) == size ? nil : "the result is \(size.0)×\(size.1); \(shapes)"
}
