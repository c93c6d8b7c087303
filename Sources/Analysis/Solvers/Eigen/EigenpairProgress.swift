/// Where an eigenvalue search stands.
public struct EigenpairProgress: Codable, Sendable, Equatable {
    /// Products spent so far, and restarts.
    public let products: Int, restarts: Int
    /// How many of the values are found and locked.
    public let locked: Int
    /// The wanted values as they are now: locked ones and Ritz values, in the order of the result.
    public let values: [Double]
    /// Their residual norms: true ones of verified pairs, otherwise by the factorisation.
    public let bounds: [Double]
}
