/// What a backend's kernels can take in beside their own work.
public struct PlannerOptions: Sendable, Hashable {
    /// Reductions read elementwise chains, so that these are never stored.
    public var fusesReductions: Bool

    /// Options; without arguments, what every backend can do.
    public init(fusesReductions: Bool = false) { self.fusesReductions = fusesReductions }
}
