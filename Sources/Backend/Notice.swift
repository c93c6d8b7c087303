import Synchronization

/// Lines that tell the user what a library does differently from what was asked for, without failing.
public enum Notice {
    private struct State {
        var listener: (@Sendable (String) -> Void)?
        /// Lines so far; nil where repetitions are told too.
        var told: Set<String>?
    }

    private static let state = Mutex(State())

    /// Sets who is told; nobody is until then. A command shows lines on stderr, each once: several parts of it may find
    /// out the same.
    public static func listen(once: Bool = false, _ body: (@Sendable (String) -> Void)?) {
        state.withLock { $0 = State(listener: body, told: once ? [] : nil) }
    }

    /// Tells one line.
    public static func say(_ line: String) {
        let listener = state.withLock { state in
            let isNew = state.told?.insert(line).inserted ?? true
            return isNew ? state.listener : nil
        }
        listener?(line)
    }
}
