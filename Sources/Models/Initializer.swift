/// The distribution from which a parameter starts.
public enum Initializer: Sendable, Hashable {
    /// Uniform on [−bound, bound].
    case uniform(bound: Double)
    /// Normal with mean zero.
    case normal(std: Double)
    /// One value.
    case constant(Double)

    /// Variance of one element about zero.
    var variance: Double {
        switch self {
        case .uniform(let bound): bound * bound / 3
        case .normal(let std): std * std
        case .constant(let value): value * value
        }
    }
}
