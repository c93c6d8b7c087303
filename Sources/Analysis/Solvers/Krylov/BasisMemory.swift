import Backend
import Foundation

/// Where the vectors of factorisations may live: on the device, then in host memory, then in a file.
///
/// It decides time, never results: any division gives the same bits.
public struct BasisMemory: Sendable, Hashable {
    /// Bytes on the device, shared by all factorisations that run side by side.
    public var device: Int
    /// Bytes in host memory for what does not fit there.
    public var host: Int
    /// Folder of a temporary file for the rest. A factorisation that is kept in a folder has a file already.
    public var scratch: String?

    /// Bytes of the first panel, which decides how sums are rounded: the same in all runs.
    var firstPanel = 1 << 25

    /// Budgets in bytes.
    public init(device: Int, host: Int = 0, scratch: String? = nil) {
        (self.device, self.host, self.scratch) = (device, host, scratch)
    }

    /// Half of what is free on the device, and a quarter of the machine's memory where the device has its own.
    public static func standard(_ backend: any Backend) -> BasisMemory {
        let isApart = backend.device.kind != "cpu"
        let host = isApart ? Int(ProcessInfo.processInfo.physicalMemory) / 4 : 0
        return BasisMemory(device: backend.freeMemory / 2, host: host)
    }

    /// As much of the device as there is.
    static let unlimited = BasisMemory(device: .max)

    /// An equal share for each of several factorisations.
    func shared(by count: Int) -> BasisMemory {
        var share = self
        (share.device, share.host) = (device / count, host / count)
        return share
    }
}
