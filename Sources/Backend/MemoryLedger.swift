/// What has been allocated on a device. Drivers allocate late and fail late, so we count ourselves.
final class MemoryLedger {
    /// Bytes of the device's memory that may be used.
    private(set) var total: Int
    /// Bytes of the largest single allocation.
    let largest: Int
    /// Bytes in use.
    private(set) var inUse = 0
    /// Bytes that are left.
    var free: Int { max(0, total - inUse) }

    init(total: Int, largest: Int) { (self.total, self.largest) = (total, largest) }

    /// Leaves no more than so many bytes in all to what is allocated from now on.
    func limit(to bytes: Int) { total = min(total, bytes) }

    /// Notes an allocation, or refuses it.
    func take(_ bytes: Int) throws(BackendError) {
        if bytes > largest || bytes > total - inUse { throw outOfMemory(asked: bytes) }
        inUse += bytes
    }

    /// Notes that memory was freed.
    func give(_ bytes: Int) { inUse -= bytes }

    /// The error for a request that cannot be met; `asked` is nil where the failing call allocates nothing.
    func outOfMemory(asked: Int?, _ reason: String = "") -> BackendError {
        let request = asked.map { "asked for \($0) bytes, " } ?? ""
        return BackendError(
            .outOfMemory,
            "out of device memory\(reason): \(request)\(inUse) in use, \(free) of \(total) "
                + "available, \(largest) at most in one piece")
    }
}
