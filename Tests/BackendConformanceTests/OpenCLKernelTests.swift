import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Sizes that the table of cases does not reach, and kernels that only other devices would choose.
extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLKernelTests {
        @Test(arguments: OpenCLTest.indices)
        func largeProducts(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                try OpenCLTest.check(backend, "130×257×65, \(ta), \(tb)") {
                    let a = $0.input("a", ta ? [257, 130] : [130, 257])
                    return a.matmul(
                        $0.input("b", tb ? [65, 257] : [257, 65]), transposeA: ta, transposeB: tb)
                }
            }
            for transposed in [false, true] {
                try OpenCLTest.check(backend, "Gram of 67, \(transposed)") {
                    let a = $0.input("a", transposed ? [2, 41, 67] : [2, 67, 41])
                    return a.matmul(a, transposeA: transposed, transposeB: !transposed)
                }
            }
        }

        /// Few results and many terms: cut into slices.
        @Test(arguments: OpenCLTest.indices)
        func slicedProducts(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            try OpenCLTest.check(backend, "dots of 40001") {
                ($0.input("a", [5, 40001]) * 0.01).matmul($0.input("b", [7, 40001]), transposeB: true)
            }
            try OpenCLTest.check(backend, "columns of 4099") {
                ($0.input("a", [4099, 17]) * 0.01).matmul($0.input("b", [4099, 19]), transposeA: true)
            }
            try OpenCLTest.check(backend, "Gram of 20001") {
                let a = $0.input("a", [9, 20001]) * 0.01
                return a.matmul(a, transposeB: true)
            }
        }

        /// All three derivatives, also with so little working memory that images are taken a few at a time.
        @Test(arguments: OpenCLTest.indices)
        func convolutions(_ index: Int) throws {
            let window = Window(padding: (1, 1)), strided = Window(stride: (2, 1), padding: (0, 1), groups: 2)
            for limit in [nil, 1000] {
                let backend = try OpenCLTest.open(index) { $0.patchLimit = limit ?? $0.patchLimit }
                try OpenCLTest.checkTriple(backend, [5, 17, 13, 11], [19, 17, 3, 3], window)
                try OpenCLTest.checkTriple(backend, [5, 4, 13, 11], [6, 2, 3, 2], strided)
            }
            let backend = try OpenCLTest.open(index)
            try OpenCLTest.checkTriple(backend, [4, 6, 5, 7], [9, 6, 1, 1], Window())
            try OpenCLTest.checkTriple(backend, [33, 6, 4, 4], [8, 6, 4, 4], Window())
            // The filter touches the image only at its edge, and reaches far beyond it.
            try OpenCLTest.checkTriple(
                backend, [2, 2, 3, 2], [3, 2, 5, 6], Window(stride: (3, 2), padding: (4, 5)))
        }

        /// What kernels for processors treat apart: steps, few channels, images that are summed together, several pieces, and
        /// vectors of every width.
        @Test(arguments: OpenCLTest.indices)
        func convolutionsOfProcessors(_ index: Int) throws {
            for lanes in [4, 8, 16] {
                let backend = try OpenCLTest.open(index) {
                    $0 = .processor(lanes32: lanes, lanes64: lanes / 2, cores: 2)
                    $0.patchLimit = 20_000
                }
                let around = (1, 1)
                try OpenCLTest.checkTriple(
                    backend, [20, 3, 20, 19], [5, 3, 3, 3], Window(stride: (3, 3), padding: around))
                try OpenCLTest.checkTriple(
                    backend, [40, 1, 18, 21], [7, 1, 3, 3], Window(stride: (2, 2), padding: around))
                try OpenCLTest.checkTriple(
                    backend, [200, 17, 5, 4], [9, 17, 3, 3], Window(padding: around))
                try OpenCLTest.checkTriple(
                    backend, [2, 2, 16, 16], [40, 2, 3, 3], Window(padding: around))
                // Vectors along all rows as one, and along each row with a last one that overlaps.
                try OpenCLTest.checkTriple(
                    backend, [3, 9, 8, 8], [12, 9, 3, 3], Window(padding: around))
                try OpenCLTest.checkTriple(
                    backend, [3, 5, 13, 14], [9, 5, 3, 2], Window(stride: (2, 3), padding: (1, 0)))
                try OpenCLTest.checkTriple(
                    backend, [2, 20, 3, 39], [3, 20, 2, 3], Window(padding: around))
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func aMillionTerms(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            let program = OpenCLTest.program { $0.input("x", [1_000_000]).sum([0]) }
            var random = TestRandom(seed: 5)
            let x = try backend.upload(random.values(1_000_000, in: 0...1), .float32)
            let exact = try backend.download(x.all).reduce(0, +)
            let y = try backend.allocate(1, .float32)
            try backend.compile(program, .float32).run(inputs: [x.all], outputs: [y.all])
            #expect(abs(try backend.download(y.all)[0] / exact - 1) < 1e-6)
        }

        @Test(arguments: OpenCLTest.indices)
        func longReductions(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            try OpenCLTest.check(backend, "rows") { ($0.input("x", [6007, 3]) * 0.01).sum([0]) }
            try OpenCLTest.check(backend, "columns") { ($0.input("x", [5003, 21]) * 0.01).sum([0]) }
            try OpenCLTest.check(backend, "both") { ($0.input("x", [41, 18, 67]) * 0.01).sum([0, 2]) }
            try OpenCLTest.check(backend, "max") { $0.input("x", [5003, 21]).max([0]) }
            try OpenCLTest.check(backend, "max of all") { $0.input("x", [70_001]).max([0]) }
        }

        @Test(arguments: OpenCLTest.indices)
        func notANumber(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            for (shape, axis) in [([3, 20], 1), ([20, 16], 0), ([5000, 16], 0)] as [(Shape, Int)] {
                let program = OpenCLTest.program { $0.input("x", shape).max([axis]) }
                var values = OpenCLTest.values(program)
                values["x"]?[shape.count / 2] = .nan
                values["x"]?[shape.count - 1] = -.infinity
                try Conformance.compare(program, values, backend, .float32, "max with NaN over \(axis)")
            }
            let sum = OpenCLTest.program { $0.input("x", [3000]).sum([0]) }
            let infinite = ["x": (0..<3000).map { $0 == 17 ? Double.infinity : 1 }]
            try Conformance.compare(sum, infinite, backend, .float32, "sum with infinity")
        }

        @Test(arguments: OpenCLTest.indices)
        func indices(_ index: Int) throws { try OpenCLTest.checkIndices(try OpenCLTest.open(index)) }

        @Test(arguments: OpenCLTest.indices)
        func nothingToDo(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            try OpenCLTest.check(backend, "no elements") { $0.input("x", [0, 3]) + $0.input("z", [0, 3]) }
            try OpenCLTest.check(backend, "no terms") {
                $0.input("a", [3, 0]).matmul($0.input("b", [0, 20]))
            }
            try OpenCLTest.check(backend, "no rows") { $0.input("a", [0, 4]).matmul($0.input("b", [4, 5])) }
            try OpenCLTest.check(backend, "empty sum") { $0.input("x", [0, 17]).sum([0]) }
            try OpenCLTest.check(backend, "empty part") {
                $0.input("x", [0, 2]).padded(starts: [1, 0], steps: [1, 1], shape: [3, 2])
            }
            try OpenCLTest.check(backend, "no images") {
                $0.input("x", [0, 2, 5, 5]).wgrad(
                    $0.input("y", [0, 3, 3, 3]), Window(), filters: [3, 2, 3, 3])
            }
            #expect(try backend.download(backend.allocate(0, .float32).all).isEmpty)
            #expect(try backend.download(backend.allocate(1000, .float32).all).allSatisfy { $0 == 0 })
        }

        /// The kernels of graphics processors, and 64-bit indices, on whatever device there is.
        @Test(arguments: OpenCLTest.indices)
        func otherStyles(_ index: Int) throws {
            let graphics = try OpenCLTest.open(index) { $0 = .graphics }
            try Conformance.check(
                graphics, precisions: [.float32], seeds: 2...2, orders: [\.program, \.reverse])
            let wide = try OpenCLTest.open(index) { $0.isAlwaysWide = true }
            try Conformance.check(wide, precisions: [.float32], seeds: 2...2, orders: [\.program, \.reverse])
        }

        /// Inputs and outputs that begin far from the start of their arrays, and are bound elsewhere next time.
        @Test(arguments: OpenCLTest.indices)
        func offsets(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            let program = OpenCLTest.program { $0.input("a", [7, 9]).matmul($0.input("b", [9, 5])) }
            let executable = try backend.compile(program, .float32)
            let values = OpenCLTest.values(program)
            let memory = try backend.allocate(5_000_100, .float32)
            let other = try backend.allocate(100, .float32)
            for (a, b, y) in [(4_999_999, 3, 100), (17, 4_000_001, 2_000_003), (17, 4_000_001, 5_000_064)] {
                try backend.write(values["a"] ?? [], to: memory[a..<a + 63])
                try backend.write(values["b"] ?? [], to: memory[b..<b + 45])
                let (inputs, result) = ([memory[a..<a + 63], memory[b..<b + 45]], memory[y..<y + 35])
                try executable.run(inputs: inputs, outputs: [result])
                try executable.run(inputs: inputs, outputs: [other[60..<95]])
                let expected = Interpreter.run(program, values)[0]
                #expect(mismatch(try backend.download(result), expected, tolerance: 1e-5) == nil)
                #expect(mismatch(try backend.download(other[60..<95]), expected, tolerance: 1e-5) == nil)
            }
        }

        /// 64-bit indices are chosen when 32 bits do not reach. Nothing is allocated.
        @Test(arguments: OpenCLTest.indices)
        func largePlans(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            func isWide(_ body: (Trace) -> Tensor) throws -> Bool {
                let plan = try Planner.plan(OpenCLTest.program(body), precision: .float32)
                return OpenCLExecutable.target(plan, backend).isWide
            }
            #expect(try isWide { $0.input("x", [1 << 31]) + 1 })
            #expect(try isWide { $0.input("x", [1 << 16, 1 << 16]).sum([0]) })
            #expect(
                try isWide {
                    $0.input("x", [50_000, 8]).matmul($0.input("z", [50_000, 8]), transposeB: true)
                })
            #expect(try !isWide { $0.input("x", [1 << 30]) + 1 })
        }
    }
}
