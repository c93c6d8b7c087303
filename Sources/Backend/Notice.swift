import Synchronization

/// Lines that tell the user what a library does differently from what was asked for, without failing.
public enum Notice {
    private static let listener = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// Sets who is told; nobody is until then. A command shows lines on stderr.
    public static func listen(_ body: (@Sendable (String) -> Void)?) { listener.withLock { $0 = body } }

    /// Tells one line.
    public static func say(_ line: String) { listener.withLock { $0 }?(line) }
}
