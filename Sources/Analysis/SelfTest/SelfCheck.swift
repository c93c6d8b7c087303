/// What a check found.
public struct SelfCheck: Sendable, Codable {
    /// What was checked, in a few words.
    public let name: String
    /// What was compared with what.
    public let comparison: String
    /// The difference that was found, relative unless said otherwise.
    public let difference: Double
    /// The largest difference that passes.
    public let bound: Double
    /// What it means if the check fails.
    public let failure: String
    /// What is worth knowing although the check has passed.
    public var note: String?

    /// Whether the difference is within its bound.
    public var hasPassed: Bool { difference <= bound }
}
