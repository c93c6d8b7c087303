/// How a trace is estimated from products with random vectors.
public enum TraceMethod: String, Sendable, CaseIterable {
    /// The mean of `⟨z, A·z⟩` over random signs (Hutchinson 1990): the error falls like 1/√products.
    case hutchinson
    /// The trace on the span of a few products, and Hutchinson's mean on its complement (Meyer et al. 2021). A third of the products
    /// make the span; with a tolerance, a third of those before the first look.
    case hutchPlusPlus = "hutch++"
    /// Every vector tests what the span of the others leaves over (Epperly, Tropp and Webber 2024): the best where eigenvalues
    /// decay. All vectors are kept and compared with each other, so it ends at 1,024 products.
    case xtrace
}

/// When an estimate of a trace is good enough.
public struct TraceOptions: Sendable {
    /// How.
    public var method: TraceMethod
    /// Products to spend; with a tolerance, the most.
    public var products: Int
    /// Half the width of the interval beside the estimate at which to stop; all products are spent unless given.
    public var tolerance: Double?
    /// Share of cases in which the interval holds the trace.
    public var confidence: Double
    /// Seed of the vectors.
    public var seed: UInt64

    /// The usual.
    public init(
        _ method: TraceMethod = .hutchinson, products: Int = 30, tolerance: Double? = nil,
        confidence: Double = 0.95, seed: UInt64 = 0
    ) {
        (self.method, self.products, self.tolerance) = (method, products, tolerance)
        (self.confidence, self.seed) = (confidence, seed)
    }

    /// Products after which the interval is looked at. Looks are few and never early, because stopping at a lucky one makes
    /// intervals too narrow.
    var looks: [Int] {
        let products = method == .xtrace ? min(products, 1024) : products
        guard tolerance != nil else { return [products] }
        var looks: [Int] = [], next = 32
        while next < products {
            looks.append(next)
            next *= 2
        }
        return looks + [products]
    }
}
