import Graph
import Testing

/// The verifier rejects each broken rule, and says which.
@Suite struct VerifierTests {
    /// A program of an input `[2, 3]` (node 0), an index `[2]` (node 1), images and filters, and one more node.
    private func problem(_ primitive: Primitive, _ operands: [Int], _ shape: Shape) -> String? {
        let nodes = [
            Node(.input("x"), [], [2, 3]), Node(.input("k"), [], [2]), Node(.input("i"), [], [1, 2, 4, 4]),
            Node(.input("w"), [], [3, 2, 3, 3]), Node(primitive, operands, shape),
        ]
        do {
            try Program(nodes: nodes, outputs: [(name: "y", node: 4)]).verify()
            return nil
        } catch {
            return error.description
        }
    }

    private static let broken: [(Primitive, [Int], Shape, String)] = [
        (.add, [0, 4], [2, 3], "%4 reads %4, which does not come before it"),
        (.add, [0, 7], [2, 3], "%4 reads %7"),
        (.add, [0], [2, 3], "takes 2 operands, found 1"),
        (.input("x"), [], [2, 3], "two inputs are called \"x\""),
        (.add, [0, 1], [2, 3], "operands and result have one shape"),
        (.mul, [0, 0], [3, 2], "operands and result have one shape"),
        (.elementwise(.exp), [0], [6], "operands and result have one shape"),
        (.constant(.table([1, 2])), [], [3], "a table of 2 elements"),
        (.reshape, [0], [5], "the number of elements stays"),
        (.permute([0, 0]), [0], [2, 2], "axes are reordered by [0, 0]"),
        (.permute([1, 0]), [0], [2, 3], "axes are reordered by [1, 0]"),
        (.broadcast, [0], [4, 3], "axes of extent 1 are repeated"),
        (.broadcast, [0], [1, 2, 3], "the rank stays"),
        (.reduceSum, [0], [2, 2], "axes are reduced to extent 1"),
        (.reduceMax, [0], [2], "the rank stays"),
        (.slice(starts: [0, 1], steps: [1, 2]), [0], [2, 2], "stay inside"),
        (.slice(starts: [0], steps: [1]), [0], [2, 3], "stay inside"),
        (.slice(starts: [0, 0], steps: [1, 0]), [0], [2, 3], "stay inside"),
        (.pad(starts: [1, 0], steps: [1, 1]), [0], [2, 3], "stay inside"),
        (.gather(axis: 2), [0, 1], [2, 3], "along axis 2"),
        (.gather(axis: 0), [0, 1], [3, 3], "2 indices along axis 0"),
        (.gather(axis: 0), [0, 0], [2, 3], "indices [2×3]"),
        (.scatterAdd(axis: 1), [0, 1], [2, 5], "2 indices along axis 1"),
        (.matmul(transposeA: false, transposeB: false), [0, 0], [2, 3], "inner extents agree"),
        (.matmul(transposeA: false, transposeB: true), [0, 0], [3, 3], "inner extents agree"),
        (.matmul(transposeA: false, transposeB: true), [0, 1], [2, 2], "matrices of one rank"),
        (.conv(Window()), [2, 3], [1, 3, 4, 4], "the result is 2×2"),
        (.conv(Window(groups: 2)), [2, 3], [1, 3, 2, 2], "channels agree"),
        (.conv(Window()), [2, 3], [1, 2, 2, 2], "samples and filters agree"),
        (.conv(Window()), [0, 3], [1, 3, 2, 2], "shapes have 4 axes"),
        (.conv(Window()), [3, 2], [3, 1, 0, 0], "no larger than the padded image"),
        (.wgrad(Window()), [2, 3], [2, 2, 3, 3], "samples and filters agree"),
        (.dgrad(Window()), [2, 3], [1, 2, 4, 4], "samples and filters agree"),
    ]

    @Test(arguments: broken.indices)
    func rejects(_ index: Int) {
        let (primitive, operands, shape, message) = Self.broken[index]
        let found = problem(primitive, operands, shape)
        #expect(found?.contains(message) == true, "\(primitive): \(found ?? "accepted")")
    }

    @Test func acceptsWhatIsRight() {
        #expect(problem(.add, [0, 0], [2, 3]) == nil)
        #expect(problem(.conv(Window(padding: (1, 1))), [2, 3], [1, 3, 4, 4]) == nil)
        #expect(problem(.gather(axis: 1), [0, 1], [2, 2]) == nil)
    }

    @Test func outputs() {
        let nodes = [Node(.input("x"), [], [2])]
        #expect(throws: ProgramError.self) { try Program(nodes: nodes, outputs: [("y", 1)]).verify() }
        #expect(throws: ProgramError.self) {
            try Program(nodes: nodes, outputs: [("y", 0), ("y", 0)]).verify()
        }
    }
}
