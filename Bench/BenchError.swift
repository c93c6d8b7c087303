/// What can go wrong in a benchmark, in one sentence.
public struct BenchError: Error, CustomStringConvertible, Sendable {
    /// The sentence.
    public let description: String

    /// An error with its message.
    public init(_ description: String) { self.description = description }
}
