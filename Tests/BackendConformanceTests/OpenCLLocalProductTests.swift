import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Shapes of products that the graphics processors' kernel in local memory must get right, on any device.
enum LocalProducts {
    /// A backend whose products all take one tile.
    static func open(_ index: Int, _ tile: LocalTile) throws -> OpenCLBackend {
        try OpenCLTest.open(index) { style in
            style = .graphics
            style.localTiles = [tile]
            style.parallelism = 1
        }
    }

    static func usesLocalMemory(_ target: OpenCLTarget, _ m: Int, _ n: Int, _ k: Int) throws -> Bool {
        let program = OpenCLTest.program { $0.input("a", [m, k]).matmul($0.input("b", [k, n])) }
        let plan = try Planner.plan(program, precision: target.precision)
        return plan.steps.allSatisfy { target.kernel($0.kernel) is OpenCLLocalMatmul }
    }

    static func usesLocalMemory(_ backend: OpenCLBackend, _ m: Int, _ n: Int, _ k: Int) throws -> Bool {
        try usesLocalMemory(
            OpenCLTarget(precision: .float32, style: backend.style, isWide: false), m, n, k)
    }

    /// All four transposes and both triangles, with edges in every direction.
    static func check(_ backend: OpenCLBackend, m: Int, n: Int, k: Int, batches: Int) throws {
        #expect(try usesLocalMemory(backend, m, n, k))
        for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
            try OpenCLTest.check(backend, "\(batches) of \(m)×\(n)×\(k), \(ta), \(tb)") {
                let a = $0.input("a", ta ? [batches, k, m] : [batches, m, k])
                let b = $0.input("b", tb ? [batches, n, k] : [batches, k, n])
                return a.matmul(b, transposeA: ta, transposeB: tb)
            }
        }
        for transposed in [false, true] {
            try OpenCLTest.check(backend, "Gram of \(m), \(transposed)") {
                let a = $0.input("a", transposed ? [batches, k, m] : [batches, m, k])
                return a.matmul(a, transposeA: transposed, transposeB: !transposed)
            }
        }
    }
}

/// Convolutions through the same kernel.
enum LocalConvolutions {
    /// All three derivatives; also with so little working memory that images are taken a few at a time.
    static func check(
        _ index: Int, _ tile: LocalTile, _ x: Shape, _ w: Shape, _ window: Window, limit: Int? = nil
    ) throws {
        let backend = try OpenCLTest.open(index) { style in
            style = .graphics
            style.localTiles = [tile]
            style.parallelism = 1
            style.patchLimit = limit ?? style.patchLimit
        }
        let size = window.outputSize(height: x[2], width: x[3], kernelH: w[2], kernelW: w[3])
        let y: Shape = [x[0], w[0], size.0, size.1]
        let label = "\(x) by \(w), \(window)"
        func compare(_ role: String, _ body: (Trace) -> Tensor) throws {
            let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: false)
            let plan = try Planner.plan(OpenCLTest.program(body), precision: .float32)
            #expect(
                plan.steps.contains { target.kernel($0.kernel) is OpenCLLocalConvolution }, "\(role) \(label)"
            )
            try OpenCLTest.check(backend, "\(role) \(label)", body)
        }
        try compare("conv") { $0.input("x", x).conv($0.input("w", w), window) }
        try compare("dgrad") { $0.input("y", y).dgrad($0.input("w", w), window, images: x) }
        try compare("wgrad") { $0.input("x", x).wgrad($0.input("y", y), window, filters: w) }
    }
}

extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLLocalProductTests {
        @Test(arguments: OpenCLTest.indices)
        func everyTile(_ index: Int) throws {
            for tile in OpenCLStyle.graphics.localTiles {
                let backend = try LocalProducts.open(index, tile)
                let edge = tile.edge
                try LocalProducts.check(backend, m: edge + 5, n: 2 * edge - 3, k: 21, batches: 2)
                try LocalProducts.check(backend, m: edge, n: edge, k: 16, batches: 1)
            }
        }

        /// More terms than are summed at a time, with a rest.
        @Test(arguments: OpenCLTest.indices)
        func manyTerms(_ index: Int) throws {
            let backend = try LocalProducts.open(index, LocalTile(edge: 16, itemRows: 4, itemColumns: 4))
            try OpenCLTest.check(backend, "4099 terms") {
                ($0.input("a", [17, 4099]) * 0.01).matmul($0.input("b", [4099, 9]))
            }
            try OpenCLTest.check(backend, "2048 terms") {
                ($0.input("a", [17, 2048]) * 0.01).matmul($0.input("b", [2048, 9]))
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func convolutions(_ index: Int) throws {
            let tile = LocalTile(edge: 16, itemRows: 4, itemColumns: 4)
            let padded = Window(padding: (1, 1))
            try LocalConvolutions.check(index, tile, [5, 17, 13, 11], [19, 17, 3, 3], padded)
            try LocalConvolutions.check(index, tile, [5, 17, 13, 11], [19, 17, 3, 3], padded, limit: 8000)
            let strided = Window(stride: (2, 1), padding: (0, 1), groups: 2)
            try LocalConvolutions.check(index, tile, [3, 16, 13, 11], [18, 8, 3, 2], strided)
            try LocalConvolutions.check(index, tile, [4, 9, 5, 7], [9, 9, 1, 1], Window())
            let far = Window(stride: (3, 2), padding: (4, 5))
            try LocalConvolutions.check(index, tile, [2, 8, 9, 8], [8, 8, 5, 6], far)
        }

        /// Large products take large tiles, tiny ones none; what a device cannot hold is not chosen.
        @Test(arguments: OpenCLTest.indices)
        func choice(_ index: Int) throws {
            let backend = try OpenCLTest.open(index) { $0 = .graphics }
            #expect(try LocalProducts.usesLocalMemory(backend, 512, 512, 512))
            #expect(try !LocalProducts.usesLocalMemory(backend, 16, 16, 16))
            #expect(try !LocalProducts.usesLocalMemory(backend, 2048, 2, 2048))
            let small = OpenCLStyle.graphics.limited(to: 64, localMemory: 1 << 20)
            #expect(small.localTiles.map(\.edge) == [32])
            #expect(OpenCLStyle.graphics.limited(to: 16, localMemory: 1 << 20).localTiles.isEmpty)
            var target = OpenCLTarget(precision: .float64, style: backend.style, isWide: false)
            #expect(try LocalProducts.usesLocalMemory(target, 512, 512, 512))
            target.style.localMemory = 1000
            #expect(try !LocalProducts.usesLocalMemory(target, 512, 512, 512))
        }
    }
}

extension KernelMemoryTests {
    /// Local memory: races between items, and edges.
    @Test(arguments: OpenCLTest.indices)
    func localProducts(_ index: Int) throws {
        let backend = try LocalProducts.open(index, LocalTile(edge: 16, itemRows: 4, itemColumns: 4))
        try LocalProducts.check(backend, m: 19, n: 33, k: 21, batches: 2)
        let wide = try LocalProducts.open(index, LocalTile(edge: 32, itemRows: 8, itemColumns: 4))
        try LocalProducts.check(wide, m: 35, n: 30, k: 9, batches: 1)
        let tile = LocalTile(edge: 16, itemRows: 4, itemColumns: 4), window = Window(padding: (1, 1))
        try LocalConvolutions.check(index, tile, [3, 8, 5, 4], [9, 8, 3, 2], window, limit: 400)
        let strided = Window(stride: (2, 2), padding: (1, 1), groups: 2)
        try LocalConvolutions.check(index, tile, [1, 16, 7, 6], [16, 8, 3, 3], strided)
    }
}
