/// What does not fit into a device's memory is tried again with half as many samples at a time. Only for results that do
/// not depend on the batch size.
public enum SmallerBatches {
    /// Rows that an array of `count` samples needs so that it can be cut into batches of `batchSize` and of all sizes
    /// tried after it.
    public static func rows(for count: Int, batchSize: Int) -> Int {
        var rows = count
        for size in sizes(batchSize) { rows = max(rows, (count + size - 1) / size * size) }
        return rows
    }

    /// What `body` makes for the largest size that fits, from `batchSize` downwards, and that size. A smaller size than
    /// asked for is told. If not even one sample fits, the error says what was asked for, in use and available.
    public static func fit<Result>(
        _ batchSize: Int, on backend: any Backend, _ body: (_ batchSize: Int) throws(BackendError) -> Result
    ) throws(BackendError) -> (batchSize: Int, result: Result) {
        for size in sizes(batchSize) {
            do throws(BackendError) {
                let result = try body(size)
                if size < batchSize { tell(batchSize, size, backend) }
                return (size, result)
            } catch {
                if error.kind != .outOfMemory || size == 1 { throw error }
            }
        }
        preconditionFailure("a batch has at least one sample, found \(batchSize)")
    }

    /// The size to go on with after a run has failed, which is told; nil if smaller batches do not help. Drivers may find
    /// out late that memory is short.
    public static func next(after error: BackendError, _ batchSize: Int, on backend: any Backend) -> Int? {
        guard error.kind == .outOfMemory, let smaller = half(batchSize) else { return nil }
        tell(batchSize, smaller, backend)
        return smaller
    }

    private static func half(_ size: Int) -> Int? { size > 1 ? (size + 1) / 2 : nil }

    private static func sizes(_ first: Int) -> UnfoldFirstSequence<Int> { sequence(first: first, next: half) }

    private static func tell(_ batchSize: Int, _ smaller: Int, _ backend: any Backend) {
        Notice.say(
            "batches of \(batchSize) do not fit into the memory of \(backend.device.selector): going on with "
                + "\(smaller) samples at a time")
    }
}
