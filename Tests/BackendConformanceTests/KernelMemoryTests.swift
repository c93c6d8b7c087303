import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// What the simulator must see beside the table of cases.
extension KernelMemoryTests {
    /// The kernels of graphics processors, and convolutions that take their images in several pieces.
    @Test(arguments: OpenCLTest.indices)
    func otherStyles(_ index: Int) throws {
        let backend = try OpenCLTest.open(index) { style in
            style = .graphics
            style.patchLimit = 100
        }
        try Conformance.check(
            backend, precisions: [.float32], seeds: 2...2, orders: [\.program, \.reverse])
    }

    /// Convolutions on processors, with blocks of lines and results written as they come and row by row.
    @Test(arguments: OpenCLTest.indices)
    func convolutions(_ index: Int) throws {
        let backend = try OpenCLTest.open(index) {
            $0 = .processor(lanes32: 16, lanes64: 8, cores: 2)
            $0.patchLimit = 1000
        }
        try OpenCLTest.checkTriple(backend, [3, 9, 3, 16], [11, 9, 3, 3], Window(padding: (1, 1)))
        try OpenCLTest.checkTriple(
            backend, [3, 2, 7, 9], [3, 2, 3, 3], Window(stride: (2, 2), padding: (1, 1)))
        try OpenCLTest.checkTriple(backend, [2, 1, 5, 7], [9, 1, 3, 3], Window(padding: (1, 1)))
        for padding in [0, 1] {
            try OpenCLTest.checkTriple(
                backend, [2, 3, 15, 15], [64, 3, 2, 2], Window(stride: (2, 2), padding: (padding, 0)))
        }
        try OpenCLTest.checkTriple(backend, [1, 2, 2, 37], [3, 2, 1, 3], Window(padding: (0, 1)))
    }

    /// Indices outside the axis, reductions in slices, and tiles of every kind at the edges of a matrix.
    @Test(arguments: OpenCLTest.indices)
    func edges(_ index: Int) throws {
        let backend = try OpenCLTest.open(index)
        try OpenCLTest.checkIndices(backend)
        try OpenCLTest.check(backend, "rows") { ($0.input("x", [2051, 3]) * 0.01).sum([0]) }
        try OpenCLTest.check(backend, "columns") { ($0.input("x", [2051, 18]) * 0.01).sum([0]) }
        try OpenCLTest.check(backend, "max") { $0.input("x", [2051]).max([0]) }
        for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
            try OpenCLTest.check(backend, "product, \(ta), \(tb)") {
                let a = $0.input("a", ta ? [19, 11] : [11, 19]), b = $0.input("b", tb ? [37, 19] : [19, 37])
                return a.matmul(b, transposeA: ta, transposeB: tb)
            }
        }
    }
}
