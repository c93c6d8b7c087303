import Graph

extension Kernel {
    /// A short name for listings.
    public var name: String {
        switch self {
        case .elementwise(let kernel): "elementwise[\(kernel.expression.terms.count)]"
        case .reduce(let reduction):
            (reduction.kind == .sum ? "sum" : "max")
                + (reduction.isPlain ? "" : "[\(reduction.expression.terms.count)]")
        case .pad: "pad"
        case .gather: "gather"
        case .scatterAdd: "scatterAdd"
        case .matmul(let product): (product.isGram ? "gram" : "matmul") + epilogueName
        case .convolution(let convolution):
            switch convolution.role {
            case .forward: "conv" + epilogueName
            case .inputGradient: "dgrad" + epilogueName
            case .filterGradient: "wgrad" + epilogueName
            }
        }
    }

    private var epilogueName: String { epilogue.map { "[\($0.expression.terms.count)]" } ?? "" }

    /// The name with the extents that matter: equal labels are equal work.
    public var label: String {
        func text(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "×") }
        switch self {
        case .elementwise(let kernel):
            let strided = kernel.walk.strides.indices.count { kernel.walk.pattern($0) == .strided }
            return "\(name) \(text(kernel.walk.dims)) of \(kernel.walk.strides.count)"
                + (strided > 0 ? ", \(strided) strided" : "")
        case .reduce(let kernel): return "\(name) \(text(kernel.reduced.dims)) → \(text(kernel.kept.dims))"
        case .pad(let kernel): return "\(name) \(text(kernel.part)) → \(text(kernel.whole))"
        case .gather(let kernel), .scatterAdd(let kernel):
            return "\(name) \(kernel.outer)×\(kernel.axis)×\(kernel.inner), \(kernel.indices) indices"
        case .matmul(let kernel):
            let batches = kernel.batches > 1 ? "\(kernel.batches) of " : ""
            let (a, b) = (kernel.transposeA ? "ᵀ" : "", kernel.transposeB ? "ᵀ" : "")
            return "\(name) \(batches)\(kernel.m)×\(kernel.k)\(a) · \(kernel.k)×\(kernel.n)\(b)"
        case .convolution(let kernel):
            let (window, stride) = (kernel.window, kernel.window.strideH)
            return "\(name) \(text(kernel.x.dims)) * \(text(kernel.w.dims))"
                + (stride > 1 ? ", stride \(stride)" : "")
                + (window.groups > 1 ? ", \(window.groups) groups" : "")
        }
    }
}
