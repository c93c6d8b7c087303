import Graph
import TestSupport
import Testing

/// A stacked program gives, entry by entry, what the program gives for every entry.
struct StackingTests {
    private let count = 3

    /// Every primitive, with every choice of inputs that vary.
    @Test(arguments: Cases.all, [1, 2, 3, 4, 5, 6] as [UInt64])
    func everyPrimitive(_ row: Case, seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let example = row.make(&random)
        let names = example.program.inputs.map(\.name)
        for choice in 1..<1 << names.count {
            let varying = Set(names.indices.filter { choice >> $0 & 1 == 1 }.map { names[$0] })
            try check(example.program, example.inputs, varying, "seed \(seed)")
        }
    }

    /// Derivatives, whose tangents come out of products and meet values that do not vary.
    @Test(arguments: Cases.all, [1, 2, 3] as [UInt64])
    func derivatives(_ row: Case, seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let example = row.make(&random)
        let values = example.seeded(&random)
        let tangents = Set(example.smooth.map { "t of \($0)" })
        for varying in [tangents, ["c"], tangents.union(["c"])] {
            for program in [example.forward, example.reverse, example.second] {
                try check(program, values, varying, "seed \(seed)")
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func randomPrograms(seed: UInt64) throws {
        let (program, inputs) = RandomPrograms.make(seed)
        for varying in [["x0"], ["x1", "x2"], ["x0", "x1", "x2"]] as [Set<String>] {
            try check(program, inputs, varying, "seed \(seed)")
        }
    }

    @Test(arguments: [false, true])
    func networks(isConvolutional: Bool) throws {
        let program = SmallNetworks.derivative(isConvolutional: isConvolutional, isSecondOrder: true)
        let values = SmallNetworks.values(for: program, seed: 4)
        try check(program, values, ["v of w0", "v of b0", "v of w1"], "products")
        try check(program, values, ["w0", "b0", "w1"], "weights")
        try check(program, values, ["x"], "samples")
    }

    /// A product with one factor for all stays one product, with no copies beside it.
    @Test func aStackIsOneWideProduct() {
        let program = Program.trace { t in
            [("y", t.input("x", [5, 7]).matmul(t.input("w", [3, 7]), transposeB: true))]
        }
        let left = program.stacked(4) { $0 == "x" }, right = program.stacked(4) { $0 == "w" }
        #expect(left.nodes.map(\.primitive.name) == ["input", "input", "reshape", "matmul", "reshape"])
        #expect(left.nodes[3].shape == [20, 3])
        #expect(right.nodes.first { $0.primitive.name == "matmul" }?.shape == [5, 12])
        #expect(left.flops == 4 * program.flops && right.flops == 4 * program.flops)
    }

    /// What does not vary is computed once.
    @Test func nothingFixedIsRepeated() {
        let program = Program.trace { t in
            let fixed = t.input("x", [5, 7]).matmul(t.input("w", [7, 3])).tanh()
            return [("y", fixed * t.input("v", [5, 3])), ("z", fixed)]
        }
        let stacked = program.stacked(4) { $0 == "v" }
        #expect(stacked.nodes.count { $0.primitive.name == "matmul" } == 1)
        #expect(stacked.nodes.first { $0.primitive == .elementwise(.tanh) }?.shape == [5, 3])
        #expect(stacked.outputs.map(\.shape) == [[4, 5, 3], [5, 3]])
        #expect(stacked.inputs.map(\.shape) == [[5, 7], [7, 3], [4, 5, 3]])
    }

    private func check(
        _ program: Program, _ inputs: [String: [Double]], _ varying: Set<String>, _ comment: String
    ) throws {
        let stacked = program.stacked(count) { varying.contains($0) }
        try stacked.verify()
        let entries = (0..<count).map { entry in
            Dictionary(
                uniqueKeysWithValues: inputs.map { name, values in
                    (name, varying.contains(name) ? changed(values, entry) : values)
                })
        }
        var bound = inputs
        for name in varying { bound[name] = entries.flatMap { $0[name]! } }
        let found = Interpreter.run(stacked, bound)
        for (index, port) in program.outputs.enumerated() {
            let expected = entries.map { Interpreter.run(program, $0)[index] }
            let varies = stacked.outputs[index].shape != port.shape
            #expect(stacked.outputs[index].shape.dims == (varies ? [count] : []) + port.shape.dims)
            #expect(
                mismatch(found[index], varies ? expected.flatMap { $0 } : expected[0], tolerance: 1e-12)
                    == nil, "\(port.name), \(varying.sorted()) vary, \(comment)")
            if !varies { #expect(expected.allSatisfy { $0 == expected[0] }) }
        }
    }

    /// Other values from the same domain: in another order, and smaller where they are no indices.
    private func changed(_ values: [Double], _ entry: Int) -> [Double] {
        let turned = values.indices.map { values[($0 + entry) % values.count] }
        let isWhole = values.allSatisfy { $0 == $0.rounded() }
        return isWhole ? turned : turned.map { $0 * (1 - 0.1 * Double(entry)) }
    }
}
