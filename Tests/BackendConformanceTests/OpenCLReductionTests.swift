import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Sums and maxima of chains, which are computed while they are read.
enum ChainReductions {
    /// A chain of operands of every pattern: in step, one per row, one per column, transposed, one for all.
    private static func chain(_ t: Trace, _ shape: Shape) -> Tensor {
        func along(_ axis: Int?) -> Tensor {
            let dims = shape.dims.indices.map { $0 == axis ? shape[$0] : 1 }
            return t.input("along \(axis ?? -1)", Shape(dims)).broadcast(to: shape)
        }
        let last = shape.rank - 1
        let x = t.input("x", shape), z = t.input("z", shape)
        return (x * along(0) + along(last)).tanh() * 0.5 + x.greater(than: z).select(z, else: along(nil))
    }

    static func check(_ backend: OpenCLBackend, _ shape: Shape, _ axes: [Int]) throws {
        try compare(backend, "sum of a chain \(shape) over \(axes)") { (chain($0, shape) * 0.1).sum(axes) }
        try compare(backend, "max of a chain \(shape) over \(axes)") { chain($0, shape).max(axes) }
        let order = Array(0..<shape.rank).reversed() as [Int]
        let turned = Shape(order.map { shape[$0] })
        try compare(backend, "sum of products with a transpose, \(shape) over \(axes)") {
            ($0.input("x", shape) * $0.input("p", turned).permuted(order)).sum(axes)
        }
    }

    /// Everything must happen in the reduction.
    private static func compare(
        _ backend: OpenCLBackend, _ label: String, _ body: (Trace) -> Tensor
    ) throws {
        let plan = try backend.plan(OpenCLTest.program(body), .float32)
        #expect(plan.steps.count == 1, "\(label): \(plan)")
        try OpenCLTest.check(backend, label, body)
    }

    /// Few terms, runs with and without a rest, columns that fill blocks and not, slices, several axes.
    static let shapes: [(Shape, [Int])] = [
        ([70, 5], [1]), ([3, 300], [1]), ([3, 700], [1]), ([300, 3], [0]), ([300, 21], [0]),
        ([40, 100], [0]),
        ([5, 7, 33], [0, 2]), ([6, 35, 18], [0, 1]), ([2, 3, 4], [0, 1, 2]),
    ]
    static let long: [(Shape, [Int])] = [([1, 5003], [1]), ([2, 5003], [0, 1]), ([2051, 18], [0])]
}

extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLReductionTests {
        @Test(arguments: OpenCLTest.indices)
        func processors(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            for (shape, axes) in ChainReductions.shapes + ChainReductions.long {
                try ChainReductions.check(backend, shape, axes)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func graphics(_ index: Int) throws {
            let backend = try OpenCLTest.open(index) { $0 = .graphics }
            for (shape, axes) in ChainReductions.shapes + ChainReductions.long {
                try ChainReductions.check(backend, shape, axes)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func wideIndices(_ index: Int) throws {
            let backend = try OpenCLTest.open(index) { $0.isAlwaysWide = true }
            for (shape, axes) in ChainReductions.shapes {
                try ChainReductions.check(backend, shape, axes)
            }
        }

        /// A chain's infinities and NaNs come through: in the vectors, in the rest, and in a later block.
        @Test(arguments: OpenCLTest.indices)
        func notANumber(_ index: Int) throws {
            let backend = try OpenCLTest.open(index)
            for place in [0, 17, 300, 1003] {
                for value in [Double.nan, .infinity, -.infinity] {
                    for program in [
                        OpenCLTest.program { ($0.input("x", [1005]) * 2).sum([0]) },
                        OpenCLTest.program { ($0.input("x", [1005]) * 2).max([0]) },
                    ] {
                        var values = OpenCLTest.values(program)
                        values["x"]?[place] = value
                        try Conformance.compare(program, values, backend, .float32, "\(value) at \(place)")
                    }
                }
            }
        }
    }
}

extension KernelMemoryTests {
    @Test(arguments: OpenCLTest.indices)
    func chainReductions(_ index: Int) throws {
        for style in [OpenCLStyle.graphics, .processor(lanes32: 16, lanes64: 8, cores: 2)] {
            let backend = try OpenCLTest.open(index) { $0 = style }
            for (shape, axes) in ChainReductions.shapes.dropLast(2) {
                try ChainReductions.check(backend, shape, axes)
            }
        }
    }
}
