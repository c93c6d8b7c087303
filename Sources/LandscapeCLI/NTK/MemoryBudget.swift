import Planner

/// What `--memory` leaves beside the process, its samples and its weights.
struct MemoryBudget {
    /// Bytes that are left.
    let left: Int

    /// - Parameters:
    ///   - inputs: elements of all samples.
    ///   - parameters: elements of the weights.
    ///   - further: bytes of results that are held as well, and what they are called.
    init(
        _ memory: ByteCount, inputs: Int, parameters: Int, _ precision: Precision,
        further: (bytes: Int, name: String)? = nil
    ) throws {
        let taken =
            inputs * (8 + precision.bytes) + parameters * (16 + precision.bytes) + 128 << 20
            + (further?.bytes ?? 0)
        left = memory.bytes - taken
        guard left > 16 << 20 else {
            throw CommandError(
                "--memory \(memory.bytes >> 20)MiB does not hold the process, the samples, the weights"
                    + (further.map { " and \($0.name)" } ?? "")
                    + ": at least \((taken + 32 << 20) >> 20)MiB are needed")
        }
    }
}
