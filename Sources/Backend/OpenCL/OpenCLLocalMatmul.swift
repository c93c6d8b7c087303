import Planner

/// A batch of matrix products for graphics processors: groups of items share what they read in local memory.
struct OpenCLLocalMatmul: OpenCLKernel {
    private let kernel: MatrixProduct
    private let target: OpenCLTarget
    private let tile: LocalTile
    private let product: LocalProduct

    /// Nil if the product has too few results for groups to fill the device, or too few terms to share.
    init?(_ kernel: MatrixProduct, _ target: OpenCLTarget) {
        let (m, n, k) = (kernel.m, kernel.n, kernel.k)
        var product = LocalProduct(
            m: m, n: n, terms: k, batches: kernel.batches,
            a: .init(
                line: kernel.transposeA ? 1 : k, term: kernel.transposeA ? m : 1, outer: m * k,
                hasNearTerms: !kernel.transposeA),
            b: .init(
                line: kernel.transposeB ? k : 1, term: kernel.transposeB ? 1 : n, outer: k * n,
                hasNearTerms: kernel.transposeB),
            c: .init(row: n, outer: m * n))
        guard let tile = product.tile(target) else { return nil }
        product.isTriangle = kernel.isGram && m > tile.edge
        (self.kernel, self.target, self.tile, self.product) = (kernel, target, tile, product)
    }

    func launches(_ memory: StepMemory) -> [Launch] {
        let launch = product.launch(
            [memory.operands[0], memory.operands[1], memory.result], tile, target)
        return product.isTriangle
            ? [launch, OpenCLMatmul.mirror(memory.result, kernel.n, kernel.batches, target)] : [launch]
    }
}
