/// What went wrong with a file or a data set: which one, what was found and what was expected.
public struct DataError: Error, CustomStringConvertible, Sendable, Equatable {
    /// One sentence for the person at the keyboard.
    public let description: String

    /// An error that says `description`.
    public init(_ description: String) {
        self.description = description
    }

    /// An error about a call to the system, with the system's own words for `code` (an `errno`).
    init(_ description: String, code: Int32) {
        self.description = "\(description): \(systemMessage(code))"
    }
}
