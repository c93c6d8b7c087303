import Backend
import Graph
import TestSupport
import Testing

/// Products and convolutions of many shapes: every way in which a kernel cuts them has edges.
@Suite(.serialized) struct ProductShapeTests {
    /// A small generator: the same shapes every time.
    private struct Choices {
        var state: UInt64
        mutating func pick(_ range: ClosedRange<Int>) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + Int(state >> 33) % range.count
        }
    }

    private func values(_ count: Int, _ seed: Int) -> [Double] {
        (0..<count).map { Double(Float(($0 * 7919 + seed * 104_729) % 2003) / 1001 - 1) }
    }

    private func check(
        _ program: Program, _ target: Target, _ text: String, on backend: (any Backend)? = nil
    ) throws {
        var inputs: [String: [Double]] = [:]
        for (index, port) in program.inputs.enumerated() {
            inputs[port.name] = values(port.shape.count, index)
        }
        let found = try target.run(program, inputs, on: backend)
        for (a, b) in zip(found, Interpreter.run(program, inputs)) {
            #expect(mismatch(a, b, tolerance: target.tolerance(2e-5, 1e-13)) == nil, "\(text)")
        }
    }

    @Test(arguments: TestDevices.targets)
    func matrixProducts(_ target: Target) throws {
        let extents = [1, 2, 3, 5, 8, 13, 16, 31, 48, 49, 97, 130]
        var choices = Choices(state: 5)
        for round in 0..<60 {
            let m = extents[choices.pick(0...11)], n = extents[choices.pick(0...11)]
            let k = round % 10 == 0 ? 900 : extents[choices.pick(0...11)]
            let (a, b) = (choices.pick(0...1) == 1, choices.pick(0...1) == 1)
            let batches = choices.pick(1...3)
            let program = Program.trace { t in
                let left = t.input("a", a ? [batches, k, m] : [batches, m, k])
                let right = t.input("b", b ? [batches, n, k] : [batches, k, n])
                let bias = t.input("c", [1, 1, n]).broadcast(to: [batches, m, n])
                return [("y", (left.matmul(right, transposeA: a, transposeB: b) + bias).relu())]
            }
            try check(program, target, "\(batches) of \(m)×\(k)×\(n), \(a) \(b)")
        }
    }

    @Test(arguments: TestDevices.targets)
    func gramMatrices(_ target: Target) throws {
        for (n, k) in [(1, 5), (17, 3), (96, 40), (97, 20), (200, 12)] {
            for transposes in [false, true] {
                let program = Program.trace { t in
                    let x = t.input("x", transposes ? [k, n] : [n, k])
                    return [("y", x.matmul(x, transposeA: transposes, transposeB: !transposes))]
                }
                try check(program, target, "gram \(n) \(k) \(transposes)")
            }
        }
    }

    /// Matrices without rows, columns or terms.
    @Test(arguments: TestDevices.targets)
    func emptyProducts(_ target: Target) throws {
        for (m, n, k) in [(0, 5, 4), (8, 0, 5), (0, 0, 3), (3, 2, 0), (0, 3, 5000)] {
            let program = Program.trace { t in
                [("y", t.input("a", [m, k]).matmul(t.input("b", [n, k]), transposeB: true))]
            }
            try check(program, target, "\(m)×\(k)×\(n)")
        }
    }

    /// Sums so long that their terms are shared out too.
    @Test(arguments: TestDevices.targets)
    func longSums(_ target: Target) throws {
        for (m, n, k) in [(1, 1, 40_000), (3, 50, 16_385), (70, 5, 33_000), (20, 20, 20_000)] {
            let product = Program.trace { t in
                let y = t.input("a", [m, k]).matmul(t.input("b", [n, k]), transposeB: true)
                return [("y", (y + t.input("c", [m, 1]).broadcast(to: [m, n])).relu())]
            }
            try check(product, target, "\(m)×\(k)×\(n)")
            let gram = Program.trace { t in
                let x = t.input("x", [k, n])
                return [("y", x.matmul(x, transposeA: true) * 2)]
            }
            try check(gram, target, "gram \(n) \(k)")
        }
    }

    /// One product alone, whose terms are shared out, has the bits that it has among many, where they are not.
    @Test(arguments: TestDevices.targets)
    func longSumsDoNotDependOnTheirNeighbours(_ target: Target) throws {
        let (m, n, k, many) = (8, 6, 20_000, 40), backend = try target.open()
        func run(_ batches: Int) throws -> [Double] {
            let program = Program.trace { t in
                let left = t.input("a", [batches, m, k]), right = t.input("b", [batches, n, k])
                return [("y", left.matmul(right, transposeB: true))]
            }
            let executable = try backend.compile(program, target.precision, sumsInOrder: true)
            let inputs = try [m, n].enumerated().map {
                try backend.upload(values(batches * $1 * k, $0), target.precision)
            }
            let y = try backend.allocate(batches * m * n, target.precision)
            try executable.run(inputs: inputs.map(\.all), outputs: [y.all])
            return try backend.download(y.all)
        }
        #expect(try run(1) == Array(run(many).prefix(m * n)))
    }

    @Test(arguments: TestDevices.targets)
    func convolutions(_ target: Target) throws {
        var choices = Choices(state: 11)
        for _ in 0..<(target.selector == "cpu" ? 120 : 40) {
            let groups = [1, 1, 1, 2, 3][choices.pick(0...4)]
            let images = [1, 2, 3, 7][choices.pick(0...3)]
            let (c, f) = (
                groups * [1, 2, 3, 8, 17][choices.pick(0...4)],
                groups * [1, 2, 8, 9, 18][choices.pick(0...4)]
            )
            let kernel = (choices.pick(1...4), choices.pick(1...4))
            let stride = (choices.pick(1...3), choices.pick(1...3))
            let padding = (choices.pick(0...2), choices.pick(0...2))
            let size = (
                kernel.0 + choices.pick(0...12),
                kernel.1 + [0, 1, 4, 6, 8, 13, 15, 16, 17, 30][choices.pick(0...9)]
            )
            let window = Window(stride: stride, padding: padding, groups: groups)
            let x: Shape = [images, c, size.0, size.1], w: Shape = [f, c / groups, kernel.0, kernel.1]
            let program = Program.trace { t in
                let (images, filters) = (t.input("x", x), t.input("w", w))
                let y = images.conv(filters, window)
                let back = t.vjp([(of: y, cotangent: t.input("dy", y.shape))], to: [images, filters])
                return [("y", y + 1), ("dx", back[0]), ("dw", back[1])]
            }
            try check(program, target, "\(x) * \(w), stride \(stride), padding \(padding), \(groups) groups")
        }
    }

    /// Kernels as wide as their stride on images of odd width: the last column takes no part.
    @Test(arguments: TestDevices.targets)
    func kernelsAsWideAsTheirStride(_ target: Target) throws {
        for (width, padding) in [(15, 0), (15, 1), (14, 0), (31, 0)] {
            let x: Shape = [2, 3, 15, width], w: Shape = [64, 3, 2, 2]
            let program = Program.trace { t in
                let (images, filters) = (t.input("x", x), t.input("w", w))
                let window = Window(stride: (2, 2), padding: (padding, 0), groups: 1)
                let y = images.conv(filters, window)
                let back = t.vjp([(of: y, cotangent: t.input("dy", y.shape))], to: [images, filters])
                return [("y", y), ("dx", back[0]), ("dw", back[1])]
            }
            try check(program, target, "\(x) * \(w), padding \(padding)")
        }
    }

    /// Minimal filtering of 3×3 kernels without stride: rows of tiles of all lengths beside vectors, odd extents, every
    /// padding, few and many lines.
    @Test(arguments: TestDevices.targets.filter { $0.selector == "cpu" }, [true, false])
    func squareKernelsOfManyChannels(_ target: Target, _ usesWinograd: Bool) throws {
        let backend = CPUBackend(usesWinograd: usesWinograd)
        let extents: [(Int, Int, Int)] = [
            (1, 27, 28), (3, 16, 16), (7, 8, 8), (2, 3, 33), (5, 7, 5), (4, 1, 2), (1, 5, 70),
        ]
        for (index, (images, height, width)) in extents.enumerated() {
            for (channels, filters) in [(17, 12), (33, 20), (34, 3)] {
                let x: Shape = [images, channels, height, width], w: Shape = [filters, channels, 3, 3]
                let padding = (height < 3 ? 1 : index % 3, width < 3 ? 2 : (index + 1) % 3)
                let program = Program.trace { t in
                    let (images, filters) = (t.input("x", x), t.input("w", w))
                    let y = images.conv(filters, Window(stride: (1, 1), padding: padding, groups: 1))
                    let back = t.vjp([(of: y, cotangent: t.input("dy", y.shape))], to: [images, filters])
                    return [("y", y.relu()), ("dx", back[0]), ("dw", back[1])]
                }
                try check(program, target, "\(x) * \(w), padding \(padding)", on: backend)
            }
        }
    }

    /// Minimal filtering is taken where it is asked for, and nowhere else.
    @Test func minimalFilteringIsOptIn() throws {
        let x: Shape = [4, 40, 16, 16], w: Shape = [40, 40, 3, 3]
        let program = Program.trace { t in
            let (images, filters) = (t.input("x", x), t.input("w", w))
            let y = images.conv(filters, Window(stride: (1, 1), padding: (1, 1), groups: 1))
            let back = t.vjp([(of: y, cotangent: t.input("dy", y.shape))], to: [images, filters])
            return [("y", y), ("dx", back[0]), ("dw", back[1])]
        }
        let inputs = ["x": values(x.count, 0), "w": values(w.count, 1), "dy": values(x.count, 2)]
        let target = Target("cpu", .float64), exact = Interpreter.run(program, inputs)
        let usual = try target.run(program, inputs)
        let fast = try target.run(program, inputs, on: CPUBackend(usesWinograd: true))
        #expect(!CPUBackend().usesWinograd)
        for index in 0..<3 {
            #expect(usual[index] != fast[index])
            #expect(mismatch(fast[index], exact[index], tolerance: 1e-13) == nil)
        }
    }

    /// Many small images share vectors; each one's results are those that it has alone, bit for bit.
    @Test(arguments: TestDevices.targets.filter { $0.selector == "cpu" }, [true, false])
    func imagesDoNotDependOnTheirNeighbours(_ target: Target, _ usesWinograd: Bool) throws {
        let backend = CPUBackend(usesWinograd: usesWinograd)
        for (size, stride, groups, channels) in [
            (7, 1, 1, 4), (5, 1, 2, 4), (14, 2, 1, 4), (9, 2, 2, 4), (3, 1, 1, 4), (6, 3, 1, 4),
            (8, 1, 1, 20),
            (9, 1, 2, 32),
        ] {
            let window = Window(stride: (stride, stride), padding: (1, 1), groups: groups)
            let filters: Shape = [10, channels / groups, 3, 3]
            func program(_ images: Int) -> Program {
                .trace { t in
                    let x = t.input("x", [images, channels, size, size]), w = t.input("w", filters)
                    let y = x.conv(w, window)
                    let back = t.vjp([(of: y, cotangent: t.input("dy", y.shape))], to: [x])
                    return [("y", y.relu()), ("dx", back[0])]
                }
            }
            let images = 51, out = (size - 1) / stride + 1
            let (xs, ys) = (channels * size * size, 10 * out * out)
            let x = values(images * xs, 1), dy = values(images * ys, 2), w = values(filters.count, 3)
            let together = try target.run(program(images), ["x": x, "w": w, "dy": dy], on: backend)
            for image in [0, 1, 6, 30, 50] {
                let alone = try target.run(
                    program(1),
                    [
                        "x": Array(x[image * xs..<(image + 1) * xs]), "w": w,
                        "dy": Array(dy[image * ys..<(image + 1) * ys]),
                    ], on: backend)
                #expect(
                    alone[0] == Array(together[0][image * ys..<(image + 1) * ys]),
                    "\(size) \(stride) \(groups)")
                #expect(
                    alone[1] == Array(together[1][image * xs..<(image + 1) * xs]),
                    "\(size) \(stride) \(groups)")
            }
        }
    }

    /// Filter gradients of many images of one sign lose no digits: their sums are kept wider.
    @Test(arguments: TestDevices.targets.filter { $0.selector == "cpu" })
    func manyImagesKeepTheirDigits(_ target: Target) throws {
        for channels in [1, 12] {
            let images = 16_384 / channels
            let program = Program.trace { t in
                let x = t.input("x", [images, channels, 3, 4]), dy = t.input("dy", [images, 2, 2, 3])
                return [("dw", x.wgrad(dy, Window(), filters: [2, channels, 2, 2]))]
            }
            let inputs = [
                "x": values(images * channels * 12, 1).map { Double(Float(0.6 + abs($0))) },
                "dy": values(images * 12, 2).map { Double(Float(0.6 + abs($0))) },
            ]
            let found = try target.run(program, inputs)[0], expected = Interpreter.run(program, inputs)[0]
            let error = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1) / $1.1) }
            #expect(error < target.tolerance(1e-6, 1e-13), "\(channels) channels: \(error)")
        }
    }
}
