import Graph

/// One example of a primitive: a program with one output, values for its inputs, and the inputs in which it is
/// smooth at these values.
public struct Example: Sendable {
    /// The program; its output is called `y`.
    public var program: Program
    /// Values by name.
    public var inputs: [String: [Double]]
    /// Names of the inputs it may be differentiated in.
    public var smooth: [String]
}

/// A row of the table of cases: makes examples of one primitive on random shapes.
public struct Case: Sendable, CustomStringConvertible {
    /// The primitive's name.
    public let primitive: String
    /// Makes an example.
    public let make: @Sendable (inout TestRandom) -> Example

    /// The primitive's name.
    public var description: String { primitive }
}

/// Collects inputs while an example is traced.
final class ExampleBuilder {
    let trace = Trace()
    private var values: [String: [Double]] = [:]
    private var smooth: [String] = []
    private var random: TestRandom

    init(_ random: TestRandom) { self.random = random }

    func input(
        _ name: String, _ shape: Shape, in range: ClosedRange<Double> = -1...1, isSmooth: Bool = true
    ) -> Tensor {
        input(name, shape, random.values(shape.count, in: range), isSmooth: isSmooth)
    }

    func input(_ name: String, _ shape: Shape, _ given: [Double], isSmooth: Bool) -> Tensor {
        values[name] = given
        if isSmooth { smooth.append(name) }
        return trace.input(name, shape)
    }

    func example(_ y: Tensor) -> Example {
        Example(program: trace.program([("y", y)]), inputs: values, smooth: smooth)
    }
}

/// The table. `GraphTests` fails if a primitive has no row here.
public enum Cases {
    /// All rows, those of the function table included.
    public static let all: [Case] = structural + arithmetic + products + functions

    private static func row(
        _ primitive: String, _ body: @escaping @Sendable (ExampleBuilder, inout TestRandom) -> Tensor
    ) -> Case {
        Case(primitive: primitive) { random in
            let builder = ExampleBuilder(TestRandom(seed: random.next()))
            return builder.example(body(builder, &random))
        }
    }

    private static let functions: [Case] = Function.allCases.map { function in
        row(function.rawValue) { b, r in
            let shape = r.shape(2, 1...37)
            let x = b.input("x", shape, in: function.rule.domain, isSmooth: function != .hold)
            return x.apply(function) * b.input("w", shape)
        }
    }

    private static let arithmetic: [Case] = [
        row("input") { b, r in b.input("x", r.shape(3)) },
        row("constant") { b, r in
            let shape = r.shape(2)
            let table = b.trace.constant(r.values(shape.count), shape)
            return b.input("x", shape) * table + b.trace.constant(0.75, shape)
        },
        row("add") { b, r in
            let shape = r.shape(3, 1...9)
            return b.input("x", shape) + b.input("z", shape)
        },
        row("mul") { b, r in
            let shape = r.shape(3, 1...9)
            return b.input("x", shape) * b.input("z", shape)
        },
        row("greater") { b, r in
            let shape = r.shape(2, 1...9)
            let x = b.input("x", shape)
            return x.greater(than: b.input("z", shape)) * x
        },
        row("select") { b, r in
            let shape = r.shape(2, 1...9)
            let condition = b.input("c", shape, (0..<shape.count).map { Double($0 % 2) }, isSmooth: false)
            let x = b.input("x", shape)
            return condition.select(x * x, else: b.input("z", shape))
        },
    ]

    private static let structural: [Case] = [
        row("reshape") { b, r in
            let (m, n) = (r.extent(), r.extent())
            let x = b.input("x", [m, n, 2])
            return (x * x).permuted([1, 0, 2]).reshaped([n * m, 2]) * b.input("w", [n * m, 2])
        },
        row("permute") { b, r in
            let x = b.input("x", r.shape(4, 1...4))
            return (x * x).permuted([2, 0, 3, 1])
        },
        row("broadcast") { b, r in
            let (m, n, k) = (r.extent(), r.extent(), r.extent())
            let x = b.input("x", [m, 1, k, 1])
            return x.broadcast(to: [m, n, k, 3]) * b.input("w", [m, n, k, 3])
        },
        row("reduceSum") { b, r in
            let shape: Shape = [r.extent(), r.extent(1...70), r.extent(), r.extent(1...7)]
            let x = b.input("x", shape)
            return (x * x).sum([1, 3]) + x.permuted([3, 2, 1, 0]).sum([0, 2]).permuted([3, 2, 1, 0])
        },
        row("reduceMax") { b, r in
            let shape: Shape = [r.extent(), r.extent(2...9), r.extent()]
            // Well separated values: no tie comes near a difference quotient.
            let values = (0..<shape.count).shuffled(using: &r).map { Double($0) * 0.1 - 1 }
            let x = b.input("x", shape, values, isSmooth: true)
            return (x * x * 0.1 + x).max([1]) * b.input("w", [shape[0], 1, shape[2]])
        },
        row("slice") { b, r in
            let shape: Shape = [r.extent(3...6), r.extent(4...9)]
            let x = b.input("x", shape)
            return (x * x).sliced(starts: [1, 0], steps: [1, 3], shape: [shape[0] - 1, (shape[1] + 2) / 3])
        },
        row("pad") { b, r in
            let shape: Shape = [r.extent(), r.extent(), r.extent()]
            let whole: Shape = [shape[0] + 3, 2 * shape[1] + 1, shape[2]]
            let x = b.input("x", shape)
            return x.padded(starts: [2, 1, 0], steps: [1, 2, 1], shape: whole) * b.input("w", whole)
        },
        row("gather") { b, r in
            let shape: Shape = [r.extent(), r.extent(2...6), r.extent()]
            let index = b.input("k", [4], [1, 0, 1, Double(shape[1])], isSmooth: false)
            let x = b.input("x", shape)
            return (x * x).gathered(at: index, axis: 1)
        },
        row("scatterAdd") { b, r in
            let shape: Shape = [r.extent(), 4, r.extent()]
            let index = b.input("k", [4], [1, 0, 1, -1], isSmooth: false)
            let x = b.input("x", shape)
            return (x * x).scattered(at: index, axis: 1, count: 3)
        },
    ]

    private static let products: [Case] = [
        row("matmul") { b, r in
            let (m, n, k) = (r.extent(1...19), r.extent(1...35), r.extent(1...33))
            let (transposeA, transposeB) = (Bool.random(using: &r), Bool.random(using: &r))
            let batch = Bool.random(using: &r) ? [r.extent(1...3)] : []
            let a = b.input("a", Shape(batch + (transposeA ? [k, m] : [m, k])))
            let c = b.input("b", Shape(batch + (transposeB ? [n, k] : [k, n])))
            return a.matmul(c, transposeA: transposeA, transposeB: transposeB)
        },
        row("matmul") { b, r in
            // The Gram matrix of one operand takes a path of its own.
            let a = b.input("a", r.shape(2, 1...40))
            return Bool.random(using: &r) ? a.matmul(a, transposeB: true) : a.matmul(a, transposeA: true)
        },
        row("conv") { b, r in
            let g = geometry(&r)
            return b.input("x", g.x).conv(b.input("w", g.w), g.window)
        },
        row("dgrad") { b, r in
            let g = geometry(&r)
            return b.input("y", g.y).dgrad(b.input("w", g.w), g.window, images: g.x)
        },
        row("wgrad") { b, r in
            let g = geometry(&r)
            return b.input("x", g.x).wgrad(b.input("y", g.y), g.window, filters: g.w)
        },
    ]

    private static func geometry(_ r: inout TestRandom) -> (x: Shape, w: Shape, y: Shape, window: Window) {
        let groups = r.extent(1...3)
        let window = Window(
            stride: (r.extent(1...3), r.extent(1...2)), padding: (r.extent(0...2), r.extent(0...1)),
            groups: groups)
        let w: Shape = [groups * r.extent(1...3), r.extent(1...3), r.extent(1...3), r.extent(1...3)]
        let x: Shape = [r.extent(1...5), groups * w[1], r.extent(3...9), r.extent(3...9)]
        let size = window.outputSize(height: x[2], width: x[3], kernelH: w[2], kernelW: w[3])
        return (x, w, [x[0], w[0], size.0, size.1], window)
    }
}
