import Graph
import Planner
import TestSupport
import Testing

/// What a plan is made of: fused steps, counted operations, nothing twice, nothing unused.
@Suite struct StepTests {
    private func plan(_ body: (Trace) -> [(String, Tensor)]) throws -> Plan {
        let trace = Trace()
        return try Planner.plan(trace.program(body(trace)), precision: .float32)
    }

    @Test func flopsOfAProduct() throws {
        let plan = try plan { t in [("y", t.input("a", [3, 5]).matmul(t.input("b", [5, 7])))] }
        #expect(plan.flops == 2 * 3 * 5 * 7)
        #expect(plan.steps.map(\.kernel.name) == ["matmul"])
    }

    @Test func flopsOfAConvolutionAndItsDerivatives() throws {
        // Every result pixel is a sum over 4/2 channels and 3×3 places.
        let window = Window(stride: (2, 1), padding: (1, 0), groups: 2)
        let x: Shape = [2, 4, 8, 6], w: Shape = [6, 2, 3, 3], y: Shape = [2, 6, 4, 4]
        let flops = 2 * y.count * 2 * 9
        let forward = try plan { t in [("y", t.input("x", x).conv(t.input("w", w), window))] }
        let images = try plan { t in [("x", t.input("y", y).dgrad(t.input("w", w), window, images: x))] }
        let filters = try plan { t in [("w", t.input("x", x).wgrad(t.input("y", y), window, filters: w))] }
        #expect([forward.flops, images.flops, filters.flops] == [flops, flops, flops])
    }

    @Test func flopsOfElementwiseAndReductions() throws {
        let plan = try plan { t in
            let x = t.input("x", [4, 6])
            return [("y", ((x + x.tanh()) * x).sum([1]))]
        }
        #expect(plan.flops == 3 * 24 + 24)
    }

    @Test func aChainIsOneStep() throws {
        let plan = try plan { t in
            let x = t.input("x", [8, 8])
            return [("y", ((x * x + 1).tanh() * t.input("z", [8, 1]).broadcast(to: [8, 8])).exp())]
        }
        #expect(plan.steps.count == 1)
        #expect(plan.steps[0].operands.count == 2, "the broadcast operand is read through a view")
    }

    @Test func bytesCountEveryElementOnce() throws {
        let plan = try plan { t in
            [("y", t.input("x", [8, 8]) + t.input("z", [8, 1]).broadcast(to: [8, 8]))]
        }
        #expect(plan.bytesMoved == 4 * (64 + 8 + 64), "a repeated element is read once")
        let sum = try self.plan { t in [("y", t.input("z", [8, 1]).broadcast(to: [8, 5]).max([0]))] }
        #expect(sum.bytesMoved == 4 * (8 + 5))
    }

    @Test func aSharedValueIsComputedOnce() throws {
        let plan = try plan { t in
            let shared = t.input("x", [5]).exp()
            return [("a", shared.tanh()), ("b", shared.sin())]
        }
        #expect(plan.steps.count == 3)
        #expect(plan.flops == 15)
    }

    @Test func longChainsAreCut() throws {
        let plan = try plan { t in
            [("y", (0..<200).reduce(t.input("x", [3])) { x, i in (x + Double(i)).tanh() })]
        }
        #expect((10...40).contains(plan.steps.count), "\(plan.steps.count) steps")
    }

    @Test func viewsCostNothing() throws {
        let plan = try plan { t in
            let x = t.input("x", [4, 6, 2])
            return [("y", x.permuted([2, 0, 1]).sliced(starts: [0, 1, 0], shape: [2, 3, 6]).sum([1]))]
        }
        #expect(plan.steps.map(\.kernel.name) == ["sum"])
    }

    /// A view under another shape is a view where strides can express it, and a copy where they cannot.
    @Test func reshapedViewsCostNothing() throws {
        let cut = try plan { t in
            let x = t.input("x", [4, 1, 6]).broadcast(to: [4, 5, 6]).sliced(
                starts: [1, 0, 0], shape: [2, 5, 6])
            return [("y", x.reshaped([2, 1, 5, 3, 2]).sum([4]))]
        }
        #expect(cut.steps.map(\.kernel.name) == ["sum"])
        let joined = try plan { t in
            [("y", t.input("x", [4, 6]).permuted([1, 0]).reshaped([24]).sum([0]))]
        }
        #expect(joined.steps.count == 2)
    }

    /// A hand-made program in which everything is there twice and half of it is unused.
    @Test func duplicatesAndDeadNodesAreGone() throws {
        let nodes = [
            Node(.input("x"), [], [4]), Node(.elementwise(.exp), [0], [4]),
            Node(.elementwise(.exp), [0], [4]),
            Node(.mul, [1, 2], [4]), Node(.reduceSum, [1], [1]), Node(.mul, [2, 1], [4]),
            Node(.add, [3, 5], [4]),
        ]
        let program = Program(nodes: nodes, outputs: [(name: "y", node: 6)])
        let plan = try Planner.plan(program, precision: .float64)
        // exp once; e·e once, added to itself.
        #expect(plan.flops == 3 * 4)
        #expect(!plan.steps.contains { $0.kernel.name == "sum" })
        #expect(plan.steps.count < program.nodes.count - 1)
    }

    @Test(arguments: [false, true])
    func fusedStepsAreFewerThanNodes(isConvolutional: Bool) throws {
        for isSecondOrder in [false, true] {
            let program = SmallNetworks.derivative(
                isConvolutional: isConvolutional, isSecondOrder: isSecondOrder)
            let plan = try Planner.plan(program, precision: .float32)
            let computing = program.nodes.filter { !$0.operands.isEmpty }.count
            #expect(plan.steps.count * 3 < computing * 2, "\(plan.steps.count) steps of \(computing) nodes")
        }
    }

    @Test func outputsThatAreInputsConstantsOrEqual() throws {
        let trace = Trace()
        let x = trace.input("x", [2, 3])
        let y = x.exp()
        let program = trace.program([
            ("same", x), ("one", trace.constant(1, [2])), ("a", y), ("b", y), ("c", y.permuted([1, 0])),
            ("table", trace.constant([1, 2], [2])),
        ])
        let values: [Double] = [0, 1, 2, -1, 0.5, 0]
        let found = try Target("cpu", .float64).run(program, ["x": values])
        for (a, b) in zip(found, Interpreter.run(program, ["x": values])) {
            #expect(mismatch(a, b, tolerance: 1e-14) == nil)
        }
    }

    @Test func aBrokenProgramIsRefused() throws {
        let program = Program(
            nodes: [Node(.input("x"), [], [4]), Node(.add, [0, 0], [5])], outputs: [("y", 1)])
        #expect(throws: ProgramError.self) { try Planner.plan(program, precision: .float32) }
    }

    @Test func theListingNamesStepsAndTotals() throws {
        let plan = try plan { t in [("y", t.input("x", [3]).exp().sum([0]))] }
        #expect(
            plan.description == """
                plan float32: 2 steps, 6 FLOPs, 40 bytes moved, arena 256 bytes, peak 272 bytes
                  0: arena = elementwise[2]("x")  3 elements
                  1: out "y" = sum(arena)  1 elements
                """)
    }
}

/// What is taken into other steps where a backend can do it.
@Suite struct FusionTests {
    private func names(_ options: PlannerOptions, _ body: (Trace) -> [(String, Tensor)]) throws -> [String] {
        let trace = Trace()
        let plan = try Planner.plan(trace.program(body(trace)), precision: .float32, options: options)
        return plan.steps.map(\.kernel.name)
    }

    @Test func aLayerIsOneStep() throws {
        let layer: (Trace) -> [(String, Tensor)] = { t in
            let x = t.input("x", [8, 4]), w = t.input("w", [4, 6]), b = t.input("b", [1, 6])
            return [("y", (x.matmul(w) + b.broadcast(to: [8, 6])).relu())]
        }
        #expect(try names(.all, layer) == ["matmul[6]"])
        #expect(try names(PlannerOptions(), layer) == ["matmul", "elementwise[6]"])
    }

    @Test func aLayerMayReadItsProductUnderAnotherShape() throws {
        let layer: (Trace) -> [(String, Tensor)] = { t in
            let x = t.input("x", [8, 4]), w = t.input("w", [4, 6]), b = t.input("b", [1, 2, 3])
            return [("y", x.matmul(w).reshaped([8, 2, 3]) + b.broadcast(to: [8, 2, 3]))]
        }
        #expect(try names(.all, layer) == ["matmul[3]"])
        // An output has to be stored as it is.
        let both: (Trace) -> [(String, Tensor)] = { t in
            let y = t.input("x", [8, 4]).matmul(t.input("w", [4, 6]))
            return [("y", y), ("z", y.reshaped([48]).exp())]
        }
        #expect(try names(.all, both).count == 2)
    }

    @Test func aSumOfProductsNeedsNoStepOfItsOwn() throws {
        let sum: (Trace) -> [(String, Tensor)] = { t in
            let x = t.input("x", [8, 4]), w = t.input("w", [4, 6]), v = t.input("v", [4, 6])
            return [("y", x.matmul(w) + (x * 2).matmul(v))]
        }
        #expect(try names(.all, sum).filter { $0.hasPrefix("matmul") }.sorted() == ["matmul", "matmul[3]"])
    }

    @Test func aProductThatIsReadTwiceIsStored() throws {
        let twice: (Trace) -> [(String, Tensor)] = { t in
            let x = t.input("x", [4, 4])
            let y = x.matmul(x)
            return [("a", y.exp().matmul(y)), ("b", y)]
        }
        #expect(try names(.all, twice).contains("matmul"))
    }

    @Test func reductionsReadChains() throws {
        let total: (Trace) -> [(String, Tensor)] = { t in
            let x = t.input("x", [8, 4])
            return [("y", ((x + 1) * x).sum([0]))]
        }
        #expect(try names(.all, total) == ["sum[4]"])
        #expect(try names(PlannerOptions(), total).count == 2)
    }
}
