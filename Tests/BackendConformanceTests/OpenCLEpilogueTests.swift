import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Products and convolutions with what follows them, on any device in any style.
enum Epilogues {
    /// Chains with operands of every pattern: one per element of the last axis, per channel, per image, for all, in
    /// step, and transposed.
    private static let chains: [(name: String, make: @Sendable (Trace, Tensor) -> Tensor)] = [
        ("columns", { t, y in y + along(y.shape.rank - 1, t, y) }),
        (
            "channels, a function and in step",
            { t, y in (y * along(1, t, y)).tanh() * 0.5 + t.input("z", y.shape) }
        ),
        (
            "the rest",
            { t, y in
                let rank = y.shape.rank, order = Array(0..<rank - 2) + [rank - 1, rank - 2]
                let turned = t.input("p", Shape(order.map { y.shape[$0] })).permuted(order)
                return y.greater(than: along(0, t, y)).select(y * along(nil, t, y), else: turned).tanh() + y
            }
        ),
    ]

    /// An operand that varies along one axis, or nowhere.
    private static func along(_ axis: Int?, _ t: Trace, _ y: Tensor) -> Tensor {
        let dims = y.shape.dims.indices.map { $0 == axis ? y.shape[$0] : 1 }
        return t.input("along \(axis ?? -1)", Shape(dims)).broadcast(to: y.shape)
    }

    /// Whether everything is done by the kernels of the product.
    static func isInside(_ backend: OpenCLBackend, _ program: Program, wide: Bool = false) throws -> Bool {
        let plan = try backend.plan(program, .float32)
        let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: wide)
        let step = try #require(plan.steps.first { $0.kernel.epilogue != nil })
        return !target.kernel(step.kernel).launches(StepMemory(step)).contains {
            $0.source.name.hasPrefix("elementwise")
        }
    }

    /// Compares all chains after a product.
    static func check(
        _ backend: OpenCLBackend, _ label: String, inside: Bool = true, _ body: (Trace) -> Tensor
    ) throws {
        for chain in chains {
            let label = "\(label), \(chain.name)"
            let make = { (t: Trace) in chain.make(t, body(t)) }
            #expect(try isInside(backend, OpenCLTest.program(make)) == inside, "\(label)")
            try OpenCLTest.check(backend, label, make)
        }
    }

    static func checkProduct(
        _ backend: OpenCLBackend, _ batches: Int, m: Int, n: Int, k: Int, inside: Bool = true
    ) throws {
        try check(backend, "\(batches) of \(m)×\(n)×\(k)", inside: inside) {
            ($0.input("a", [batches, m, k]) * 0.1).matmul($0.input("b", [batches, k, n]))
        }
    }

    /// All three derivatives of a convolution.
    static func checkTriple(
        _ backend: OpenCLBackend, _ x: Shape, _ w: Shape, _ window: Window
    ) throws {
        let size = window.outputSize(height: x[2], width: x[3], kernelH: w[2], kernelW: w[3])
        let y: Shape = [x[0], w[0], size.0, size.1]
        let label = "\(x) by \(w), \(window)"
        try check(backend, "conv \(label)") {
            $0.input("x", x).conv($0.input("w", w), window)
        }
        try check(backend, "dgrad \(label)") {
            $0.input("y", y).dgrad($0.input("w", w), window, images: x)
        }
        try check(backend, "wgrad \(label)") {
            ($0.input("x", x) * 0.1).wgrad($0.input("y", y), window, filters: w)
        }
    }
}

extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLEpilogueTests {
        /// Packed products: edges of tiles and blocks, several depths, and sums in slices.
        @Test(arguments: OpenCLTest.indices)
        func panelProducts(_ index: Int) throws {
            let backend = try PanelProducts.open(index)
            for (batches, m, n, k) in [(1, 70, 130, 61), (3, 13, 21, 11), (1, 7, 810, 13), (2, 9, 49, 385)] {
                try Epilogues.checkProduct(backend, batches, m: m, n: n, k: k)
            }
            try Epilogues.checkProduct(backend, 1, m: 9, n: 20, k: 4000)
        }

        @Test(arguments: OpenCLTest.indices)
        func localProducts(_ index: Int) throws {
            let backend = try LocalProducts.open(index, LocalTile(edge: 16, itemRows: 4, itemColumns: 4))
            try Epilogues.checkProduct(backend, 2, m: 19, n: 33, k: 21)
            try Epilogues.checkProduct(backend, 1, m: 17, n: 9, k: 2050)
        }

        /// Whole vectors of rows and not, pieces of the images, shares of a few images, and strides.
        @Test(arguments: OpenCLTest.indices)
        func convolutions(_ index: Int) throws {
            let window = Window(padding: (1, 1)), strided = Window(stride: (2, 1), padding: (0, 1), groups: 2)
            for limit in [nil, 30_000] {
                let backend = try OpenCLTest.open(index) { $0.patchLimit = limit ?? $0.patchLimit }
                try Epilogues.checkTriple(backend, [5, 17, 13, 11], [19, 17, 3, 3], window)
                try Epilogues.checkTriple(backend, [5, 4, 13, 11], [6, 2, 3, 2], strided)
            }
            let backend = try OpenCLTest.open(index)
            try Epilogues.checkTriple(backend, [2, 3, 6, 32], [5, 3, 3, 3], window)
            try Epilogues.checkTriple(backend, [70, 3, 5, 4], [5, 3, 1, 1], Window())
        }

        @Test(arguments: OpenCLTest.indices)
        func localConvolutions(_ index: Int) throws {
            for limit in [nil, 8000] {
                let backend = try OpenCLTest.open(index) { style in
                    style = .graphics
                    style.localTiles = [LocalTile(edge: 16, itemRows: 4, itemColumns: 4)]
                    style.parallelism = 1
                    style.patchLimit = limit ?? style.patchLimit
                }
                try Epilogues.checkTriple(
                    backend, [5, 17, 13, 11], [19, 17, 3, 3], Window(padding: (1, 1)))
            }
        }

        /// Where a kernel has no place for it, or does not see all results, the chain is a launch of its own.
        @Test(arguments: OpenCLTest.indices)
        func ownLaunch(_ index: Int) throws {
            let backend = try PanelProducts.open(index)
            try Epilogues.check(backend, "Gram", inside: false) {
                let a = $0.input("a", [300, 12])
                return a.matmul(a, transposeB: true)
            }
            let plain = try OpenCLTest.open(index)
            try Epilogues.checkProduct(plain, 1, m: 5, n: 6, k: 7, inside: false)
        }

        @Test(arguments: OpenCLTest.indices)
        func wideIndices(_ index: Int) throws {
            let backend = try PanelProducts.open(index) { $0.isAlwaysWide = true }
            try Epilogues.checkProduct(backend, 2, m: 21, n: 30, k: 17)
            try Epilogues.checkTriple(backend, [3, 2, 5, 6], [3, 2, 3, 3], Window(padding: (1, 1)))
        }
    }
}

extension KernelMemoryTests {
    @Test(arguments: OpenCLTest.indices)
    func epilogues(_ index: Int) throws {
        let panels = try PanelProducts.open(index)
        try Epilogues.checkProduct(panels, 2, m: 11, n: 37, k: 9)
        try Epilogues.checkTriple(panels, [3, 2, 5, 6], [3, 2, 3, 3], Window(padding: (1, 1)))
        let local = try LocalProducts.open(index, LocalTile(edge: 16, itemRows: 4, itemColumns: 4))
        try Epilogues.checkProduct(local, 2, m: 19, n: 33, k: 21)
    }
}
