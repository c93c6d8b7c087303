import Graph
import TestSupport
import Testing

/// Simplification changes how much is computed, never what.
@Suite struct SimplifyTests {
    /// A program of raw nodes, rich in what the rules look for: zeros, ones, identities, chains of views.
    private func raw(_ seed: UInt64) -> Program {
        var r = TestRandom(seed: seed)
        var nodes = [
            Node(.input("x"), [], [2, 3]), Node(.input("z"), [], [2, 3]),
            Node(.constant(.fill(0)), [], [2, 3]), Node(.constant(.fill(1)), [], [2, 3]),
            Node(.constant(.fill(-2)), [], [2, 3]), Node(.input("s"), [], [1, 3]),
            Node(.constant(.fill(3)), [], [1, 3]), Node(.constant(.table([1, 2, 3, 4, 5, 6])), [], [2, 3]),
        ]
        func add(_ primitive: Primitive, _ operands: [Int], _ shape: Shape) {
            nodes.append(Node(primitive, operands, shape))
        }
        for _ in 0..<30 {
            let a = nodes.indices.randomElement(using: &r)!
            let shape = nodes[a].shape
            let same = nodes.indices.filter { nodes[$0].shape == shape }
            let b = same.randomElement(using: &r)!, c = same.randomElement(using: &r)!
            let (m, n) = (shape[0], shape[1])
            switch r.extent(0...15) {
            case 0: add(.add, [a, b], shape)
            case 1, 2: add(.mul, [a, b], shape)
            case 3: add(.select, [a, b, c], shape)
            case 4: add(.greater, [a, b], shape)
            case 5: add(.elementwise(.tanh), [a], shape)
            case 6: add(.reshape, [a], r.extent(0...1) == 0 ? [m, n] : [n, m])
            case 7, 8: add(.permute(r.extent(0...2) == 0 ? [0, 1] : [1, 0]), [a], [0, 0])
            case 9: add(.broadcast, [a], [m == 1 ? 2 : m, n])
            case 10: add(.reduceSum, [a], [r.extent(0...1) == 0 ? 1 : m, n])
            case 11: add(.reduceMax, [a], [r.extent(0...1) == 0 ? 1 : m, n])
            case 12: add(.slice(starts: [0, 0], steps: [1, 1]), [a], [r.extent(1...m), n])
            case 13:
                add(.pad(starts: [0, 0], steps: [1, 1]), [a], [max(m, 2), n])
            case 14: add(.matmul(transposeA: true, transposeB: false), [a, b], [n, n])
            default: add(.matmul(transposeA: false, transposeB: true), [a, b], [m, m])
            }
            if case .permute(let order) = nodes.last!.primitive {
                nodes[nodes.count - 1].shape = order == [0, 1] ? [m, n] : [n, m]
            }
        }
        let outputs = (0..<3).map { (name: "y\($0)", node: nodes.count - 1 - 3 * $0) }
        return Program(nodes: nodes, outputs: outputs)
    }

    @Test(arguments: 1...500)
    func keepsValues(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let inputs = ["x": random.values(6), "z": random.values(6), "s": random.values(3)]
        let program = raw(seed)
        try program.verify()
        let simple = program.simplified()
        try simple.verify()
        #expect(simple.nodes.count <= program.nodes.count)
        #expect(simple.inputs.map(\.name) == ["x", "z", "s"], "inputs are part of the interface")
        for (a, b) in zip(Interpreter.run(program, inputs), Interpreter.run(simple, inputs)) {
            #expect(mismatch(b, a, tolerance: 1e-12) == nil, "seed \(seed)\n\(program)\n\(simple)")
        }
        #expect(simple.simplified() == simple, "seed \(seed): once is enough")
    }

    @Test func rules() {
        let t = Trace()
        let x = t.input("x", [2, 3])
        #expect((x + 0).id == x.id)
        #expect((x * 1).id == x.id)
        #expect((x * 0).id == t.constant(0, [2, 3]).id)
        #expect((x * 2 * 0.5).id == x.id)
        #expect(x.reshaped([6]).reshaped([2, 3]).id == x.id)
        #expect(x.permuted([1, 0]).permuted([1, 0]).id == x.id)
        #expect(x.broadcast(to: [2, 3]).id == x.id)
        #expect(x.greater(than: x).id == t.constant(0, [2, 3]).id)
        #expect(t.constant(1, [2, 3]).select(x, else: x * 7).id == x.id)
        #expect((x * x).id == (x * x).id, "equal nodes are made once")
        let z = t.input("z", [2, 3])
        #expect((x * z).id == (z * x).id)
        // xᵀ·z by a flag, not by a copy.
        let product = x.permuted([1, 0]).matmul(z)
        #expect(t.nodes[product.id].primitive == .matmul(transposeA: true, transposeB: false))
    }
}
