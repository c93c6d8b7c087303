/// Bad input to a model: a description, a weight file, or shapes that do not fit.
public struct ModelError: Error, CustomStringConvertible, Sendable {
    /// One message that names the file or layer, what was found and what was expected.
    public let description: String

    /// An error with a message.
    public init(_ description: String) { self.description = description }
}
