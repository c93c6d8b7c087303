import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Products of processors in packed panels, whatever their size.
enum PanelProducts {
    /// A backend that packs every product, also with short vectors.
    static func open(_ index: Int, _ change: (inout OpenCLStyle) -> Void = { _ in }) throws -> OpenCLBackend {
        try OpenCLTest.open(index) { style in
            style = .processor(lanes32: 16, lanes64: 8, cores: 2)
            style.packing = .always
            change(&style)
        }
    }

    static func check(_ backend: OpenCLBackend, m: Int, n: Int, k: Int, batches: Int = 1) throws {
        for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
            let body = { (t: Trace) in
                let a = t.input("a", ta ? [batches, k, m] : [batches, m, k])
                let b = t.input("b", tb ? [batches, n, k] : [batches, k, n])
                return a.matmul(b, transposeA: ta, transposeB: tb)
            }
            let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: false)
            let plan = try Planner.plan(OpenCLTest.program(body), precision: .float32)
            #expect(plan.steps.allSatisfy { target.kernel($0.kernel) is OpenCLPanelProduct })
            try OpenCLTest.check(backend, "\(batches) of \(m)×\(n)×\(k), \(ta), \(tb)", body)
        }
    }

    static func checkGram(_ backend: OpenCLBackend, n: Int, k: Int) throws {
        for transposed in [false, true] {
            try OpenCLTest.check(backend, "Gram of \(n)×\(k), \(transposed)") {
                let a = $0.input("a", transposed ? [k, n] : [n, k])
                return a.matmul(a, transposeA: transposed, transposeB: !transposed)
            }
        }
    }
}

extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLPanelProductTests {
        /// One, two and three vectors, rows and columns that do not fill a tile, several blocks and depths.
        @Test(arguments: OpenCLTest.indices)
        func shapes(_ index: Int) throws {
            let backend = try PanelProducts.open(index)
            for (m, n, k) in [
                (1, 1, 1), (3, 5, 7), (8, 48, 384), (9, 49, 385), (17, 33, 20), (70, 130, 61), (300, 20, 9),
                (7, 810, 13),
            ] {
                try PanelProducts.check(backend, m: m, n: n, k: k)
            }
            try PanelProducts.check(backend, m: 13, n: 21, k: 11, batches: 5)
            // Operands that blocks share, in two depths.
            try PanelProducts.check(backend, m: 203, n: 150, k: 390)
            try PanelProducts.check(backend, m: 70, n: 100, k: 12, batches: 3)
        }

        @Test(arguments: OpenCLTest.indices)
        func triangles(_ index: Int) throws {
            let backend = try PanelProducts.open(index)
            for (n, k) in [(1, 3), (47, 5), (130, 33), (305, 12)] {
                try PanelProducts.checkGram(backend, n: n, k: k)
            }
        }

        /// Few results of long sums: cut into slices, also of one block only.
        @Test(arguments: OpenCLTest.indices)
        func slices(_ index: Int) throws {
            let backend = try PanelProducts.open(index)
            try OpenCLTest.check(backend, "9×20×4000") {
                ($0.input("a", [9, 4000]) * 0.01).matmul($0.input("b", [4000, 20]))
            }
            try OpenCLTest.check(backend, "Gram of 4000 terms") {
                let a = $0.input("a", [30, 4000]) * 0.01
                return a.matmul(a, transposeB: true)
            }
        }

        /// Tiles of other shapes, shorter vectors, one worker, and 64-bit indices.
        @Test(arguments: OpenCLTest.indices)
        func otherProcessors(_ index: Int) throws {
            for lanes in [4, 8] {
                let backend = try OpenCLTest.open(index) { style in
                    style = .processor(lanes32: lanes, lanes64: 4, cores: 1)
                    style.packing = .always
                    style.workers = 1
                }
                try PanelProducts.check(backend, m: 21, n: 30, k: 17)
                try PanelProducts.checkGram(backend, n: 55, k: 6)
            }
            for rows in [6, 14] {
                let tall = try PanelProducts.open(index) { ($0.tileRows, $0.tilePanels) = (rows, 2) }
                try PanelProducts.check(tall, m: 31, n: 70, k: 19)
                try PanelProducts.checkGram(tall, n: 130, k: 6)
            }
            let wide = try PanelProducts.open(index) { $0.isAlwaysWide = true }
            try PanelProducts.check(wide, m: 21, n: 30, k: 17)
        }

        /// Packing is for products that use what they pack often; working memory does not grow with the product.
        @Test(arguments: OpenCLTest.indices)
        func choice(_ index: Int) throws {
            let backend = try PanelProducts.open(index) { $0.packing = .whereItPays }
            func kernel(_ m: Int, _ n: Int, _ k: Int) throws -> any OpenCLKernel {
                let program = OpenCLTest.program { $0.input("a", [m, k]).matmul($0.input("b", [k, n])) }
                let plan = try Planner.plan(program, precision: .float32)
                let target = OpenCLTarget(precision: .float32, style: backend.style, isWide: false)
                return target.kernel(plan.steps[0].kernel)
            }
            #expect(try kernel(512, 512, 512) is OpenCLPanelProduct)
            #expect(try kernel(50_000, 64, 7) is OpenCLPanelProduct)
            #expect(try kernel(64, 64, 64) is OpenCLMatmul)
            #expect(try kernel(4, 4000, 64) is OpenCLMatmul)
            #expect(try kernel(1000, 1, 1000) is OpenCLMatmul)
            #expect(try kernel(20_000, 20_000, 20_000).scratch <= 4 * kernel(1000, 1000, 1000).scratch)
        }
    }
}

extension KernelMemoryTests {
    /// Packed panels: edges of every kind, slices of working memory, and a triangle.
    @Test(arguments: OpenCLTest.indices)
    func panelProducts(_ index: Int) throws {
        let backend = try PanelProducts.open(index)
        try PanelProducts.check(backend, m: 11, n: 37, k: 9)
        try PanelProducts.check(backend, m: 5, n: 50, k: 3, batches: 2)
        try PanelProducts.checkGram(backend, n: 70, k: 5)
        try OpenCLTest.check(backend, "two depths") {
            $0.input("a", [3, 390]).matmul($0.input("b", [390, 5]))
        }
    }
}
