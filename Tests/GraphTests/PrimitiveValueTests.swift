import Graph
import TestSupport
import Testing

/// Every primitive of the interpreter against numbers worked out by hand.
@Suite struct PrimitiveValueTests {
    private func value(_ inputs: [String: (Shape, [Double])] = [:], _ body: (Trace) -> Tensor) -> [Double] {
        let trace = Trace()
        // Traced raw: the nodes that run are those that were asked for.
        let program = trace.program([("y", body(trace))])
        return Interpreter.run(program, inputs.mapValues(\.1))[0]
    }

    private let six: [String: (Shape, [Double])] = ["x": ([2, 3], [1, 2, 3, 4, 5, 6])]

    private func onSix(_ body: (Tensor) -> Tensor) -> [Double] { value(six) { body($0.input("x", [2, 3])) } }

    private func onPair(_ a: [Double], _ b: [Double], _ body: (Tensor, Tensor) -> Tensor) -> [Double] {
        let shape: Shape = [a.count]
        return value(["a": (shape, a), "b": (shape, b)]) { body($0.input("a", shape), $0.input("b", shape)) }
    }

    @Test func inputsAndConstants() {
        #expect(onSix { $0 } == [1, 2, 3, 4, 5, 6])
        #expect(value { $0.constant(2.5, [3]) } == [2.5, 2.5, 2.5])
        #expect(value { $0.constant([7, 8], [2, 1]) } == [7, 8])
    }

    @Test func arithmetic() {
        #expect(onPair([1, -2], [3, 5]) { $0 + $1 } == [4, 3])
        #expect(onPair([1, -2], [3, 5]) { $0 * $1 } == [3, -10])
        #expect(onPair([1, 2, 3], [2, 2, 2]) { $0.greater(than: $1) } == [0, 0, 1])
        #expect(onPair([.nan, 1], [1, .nan]) { $0.greater(than: $1) } == [0, 0])
        #expect(onPair([0, -1, 2], [7, 8, 9]) { $0.select($1, else: $0 * 10) } == [0, 8, 9])
    }

    @Test func functions() {
        let x: [Double] = [0.25, 1, 4]
        func table(_ function: Function) -> [Double] {
            value(["x": ([3], x)]) { $0.input("x", [3]).apply(function) }
        }
        // Ten digits from a table of functions.
        let expected: [Function: [Double]] = [
            .exp: [1.2840254167, 2.7182818285, 54.5981500331], .log: [-1.3862943611, 0, 1.3862943611],
            .sin: [0.2474039593, 0.8414709848, -0.7568024953],
            .cos: [0.9689124217, 0.5403023059, -0.6536436209],
            .tanh: [0.2449186624, 0.7615941560, 0.9993292997],
            .sigmoid: [0.5621765009, 0.7310585786, 0.9820137900],
            .softplus: [0.8259394198, 1.3132616875, 4.0181499279],
            .erf: [0.2763263902, 0.8427007929, 0.9999999846],
            .sqrt: [0.5, 1, 2], .rsqrt: [2, 1, 0.5], .reciprocal: [4, 1, 0.25], .hold: x,
        ]
        for function in Function.allCases {
            let problem = expected[function].flatMap { mismatch(table(function), $0, tolerance: 1e-10) }
            #expect(expected[function] != nil && problem == nil, "\(function): \(problem ?? "no row")")
        }
    }

    @Test func functionsFarOut() {
        func at(_ x: Double, _ function: Function) -> Double { function.rule.value(x) }
        #expect(at(-800, .sigmoid) == 0 || at(-800, .sigmoid) < 1e-300)
        #expect(at(800, .sigmoid) == 1)
        #expect(at(800, .softplus) == 800)
        #expect(at(-800, .softplus) >= 0 && at(-800, .softplus) < 1e-300)
    }

    @Test func shapes() {
        #expect(onSix { $0.reshaped([3, 2]) } == [1, 2, 3, 4, 5, 6])
        #expect(onSix { $0.permuted([1, 0]) } == [1, 4, 2, 5, 3, 6])
        #expect(onSix { $0.reshaped([1, 2, 3]).permuted([2, 0, 1]) } == [1, 4, 2, 5, 3, 6])
        #expect(onSix { $0.sliced(starts: [1, 0], steps: [1, 2], shape: [1, 2]) } == [4, 6])
        #expect(
            onSix { $0.sliced(starts: [0, 1], shape: [2, 1]).broadcast(to: [2, 3]) } == [2, 2, 2, 5, 5, 5])
        #expect(
            onSix { $0.padded(starts: [1, 0], steps: [1, 2], shape: [3, 5]) }
                == [0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 4, 0, 5, 0, 6])
    }

    @Test func reductions() {
        #expect(onSix { $0.sum([0]) } == [5, 7, 9])
        #expect(onSix { $0.sum([1]) } == [6, 15])
        #expect(onSix { $0.sum() } == [21])
        #expect(onSix { ($0 * -1).max([1]) } == [-1, -4])
        #expect(onSix { $0.max([0, 1]) } == [6])
        let nan = value(["x": ([3], [1, .nan, 2])]) { $0.input("x", [3]).max([0]) }
        #expect(nan[0].isNaN, "a NaN is not lost")
    }

    @Test func indices() {
        let index: (Trace) -> Tensor = { $0.constant([2, 0, 2, 3, -1], [5]) }
        #expect(
            onSix { $0.gathered(at: index($0.trace), axis: 1) } == [3, 1, 3, 0, 0, 6, 4, 6, 0, 0])
        let rows = (1...5).map { Double($0) }
        let scattered = value(["x": ([1, 5], rows)]) { t in
            t.input("x", [1, 5]).scattered(at: index(t), axis: 1, count: 3)
        }
        #expect(scattered == [2, 0, 4])
    }

    @Test func matrixProducts() {
        let a: (Shape, [Double]) = ([2, 2], [1, 2, 3, 4]), b: (Shape, [Double]) = ([2, 2], [5, 6, 7, 8])
        func product(_ transposeA: Bool, _ transposeB: Bool) -> [Double] {
            value(["a": a, "b": b]) {
                $0.input("a", a.0).matmul($0.input("b", b.0), transposeA: transposeA, transposeB: transposeB)
            }
        }
        #expect(product(false, false) == [19, 22, 43, 50])
        #expect(product(true, false) == [26, 30, 38, 44])
        #expect(product(false, true) == [17, 23, 39, 53])
        #expect(product(true, true) == [23, 31, 34, 46])
        let batched = value(["x": ([2, 1, 3], [1, 2, 3, 4, 5, 6])]) { t in
            let x = t.input("x", [2, 1, 3])
            return x.matmul(x, transposeB: true)
        }
        #expect(batched == [14, 77])
    }

    /// A 3×3 image, a 2×2 kernel, a border of zeros, every second place.
    @Test func convolutionByHand() {
        let window = Window(stride: (2, 2), padding: (1, 1))
        let x: (Shape, [Double]) = ([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])
        let w: (Shape, [Double]) = ([1, 1, 2, 2], [1, 10, 100, 1000])
        let y: (Shape, [Double]) = ([1, 1, 2, 2], [1, 2, 3, 4])
        let forward = value(["x": x, "w": w]) { $0.input("x", x.0).conv($0.input("w", w.0), window) }
        #expect(forward == [1000, 3200, 7040, 9865])
        // Each result pixel sends its value back through the kernel.
        let images = value(["y": y, "w": w]) {
            $0.input("y", y.0).dgrad($0.input("w", w.0), window, images: x.0)
        }
        #expect(images == [1000, 200, 2000, 30, 4, 40, 3000, 400, 4000])
        // Each kernel place collects the pixels it saw.
        let filters = value(["x": x, "y": y]) {
            $0.input("x", x.0).wgrad($0.input("y", y.0), window, filters: w.0)
        }
        #expect(filters == [20, 36, 36, 64])
    }

    @Test func groupsKeepChannelsApart() {
        let x: (Shape, [Double]) = ([1, 2, 1, 2], [1, 2, 3, 4]),
            w: (Shape, [Double]) = ([2, 1, 1, 1], [10, 100])
        let y = value(["x": x, "w": w]) { $0.input("x", x.0).conv($0.input("w", w.0), Window(groups: 2)) }
        #expect(y == [10, 20, 300, 400])
    }
}
