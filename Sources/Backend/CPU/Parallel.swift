import Dispatch

/// Runs pieces of work on all cores. How work is cut never depends on how many there are.
enum Parallel {
    /// Calls `body` for ranges of at most `grain` that cover `0..<count`; in place if there is only one.
    static func forRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let grain = max(1, grain)
        let pieces = (count + grain - 1) / grain
        forEach(pieces) { piece in body(piece * grain..<min(count, (piece + 1) * grain)) }
    }

    /// Calls `body` with `0..<count`.
    static func forEach(_ count: Int, _ body: (Int) -> Void) {
        if count <= 1 {
            if count == 1 { body(0) }
        } else {
            // The pieces write to disjoint memory; the compiler cannot know.
            withoutActuallyEscaping(body) { body in
                nonisolated(unsafe) let body = body
                DispatchQueue.concurrentPerform(iterations: count) { body($0) }
            }
        }
    }
}
