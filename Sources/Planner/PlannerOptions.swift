/// What a backend's kernels can take in beside their own work.
public struct PlannerOptions: Sendable, Hashable {
    /// Reductions read elementwise chains, so that these are never stored.
    public var fusesReductions: Bool
    /// Products and convolutions apply an elementwise chain to their results.
    public var fusesEpilogues: Bool
    /// Elementwise steps may write over an operand.
    public var worksInPlace: Bool

    /// The order of every sum of a product depends on the number of its terms alone, so that a part of a product is the
    /// product of parts, bit for bit. This may cost time.
    public var sumsInOrder = false

    /// Options; without arguments, what every backend can do.
    public init(fusesReductions: Bool = false, fusesEpilogues: Bool = false, worksInPlace: Bool = false) {
        self.fusesReductions = fusesReductions
        self.fusesEpilogues = fusesEpilogues
        self.worksInPlace = worksInPlace
    }

    /// All there is.
    public static let all = PlannerOptions(fusesReductions: true, fusesEpilogues: true, worksInPlace: true)
}
