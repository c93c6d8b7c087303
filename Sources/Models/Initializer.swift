/// The distribution from which a parameter starts.
public enum Initializer: Sendable, Hashable {
    /// Uniform on [−bound, bound].
    case uniform(bound: Double)
    /// Normal with mean zero.
    case normal(std: Double)
    /// One value.
    case constant(Double)
}
