import CKernels

/// Runs pieces of work on all threads of the pool. What a piece computes never depends on who computes it.
enum Parallel {
    /// Threads that share work.
    static var threads: Int { Int(ls_threads()) }

    /// Calls `body` for ranges of at most `grain` that cover `0..<count`; in place if there is only one.
    static func forRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let grain = max(1, grain)
        let pieces = (count + grain - 1) / grain
        forEach(pieces) { piece, _ in body(piece * grain..<min(count, (piece + 1) * grain)) }
    }

    /// Calls `body` with `0..<count` and the number of the thread, below `threads`, that makes the call.
    static func forEach(_ count: Int, _ body: (_ piece: Int, _ thread: Int) -> Void) {
        if count <= 1 {
            if count == 1 { body(0, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { context in
                ls_parallel(
                    Int64(count),
                    { context, piece, thread in
                        let body = context!.assumingMemoryBound(to: ((Int, Int) -> Void).self).pointee
                        body(Int(piece), Int(thread))
                    }, context)
            }
        }
    }
}
