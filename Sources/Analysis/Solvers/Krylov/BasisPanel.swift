import Backend
import Data
import Foundation

/// Some rows of a basis, one after the other.
struct BasisPanel {
    /// Where the rows are.
    enum Storage {
        case device(DeviceArray)
        case host(HostRows)
        case file
    }

    /// Its first row, and the number of rows it holds.
    let start: Int
    var rows: Int
    let storage: Storage

    var isOnDevice: Bool { if case .device = storage { true } else { false } }
    var isInFile: Bool { if case .file = storage { true } else { false } }
}

/// Host memory that is freed with its last reference.
final class HostRows {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }
    deinit { bytes.deallocate() }

    func row(_ row: Int, _ rowBytes: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes])
    }
}

/// The tier of a panel.
enum BasisPlace {
    case device, host, file

    /// Places for panels of the given bytes in order: the fastest that has room. What is not on the device needs the
    /// largest panel once more there, which is taken from the device's budget.
    static func choose(
        _ panels: [Int], _ memory: BasisMemory, hasFile: Bool, rowBytes: Int
    ) throws(BackendError) -> [BasisPlace] {
        let total = panels.reduce(0, +)
        if total <= memory.device { return panels.map { _ in .device } }
        var (device, host) = (memory.device - (panels.max() ?? 0), memory.host)
        var places: [BasisPlace] = []
        for bytes in panels {
            if bytes <= device, places.allSatisfy({ $0 == .device }) {
                places.append(.device)
                device -= bytes
            } else if bytes <= host, !places.contains(.file) {
                places.append(.host)
                host -= bytes
            } else if hasFile {
                places.append(.file)
            } else {
                throw BackendError(
                    .outOfMemory,
                    "a basis of \(total / rowBytes) vectors of \(rowBytes) bytes needs \(total) bytes, and its "
                        + "budgets are \(memory.device) on the device and \(memory.host) on the host: raise them, "
                        + "name a folder for the rest, or take fewer steps")
            }
        }
        return places
    }
}

/// Calls something that works on files; its errors are told as they are.
func onFiles<Value>(_ body: () throws(DataError) -> Value) throws(BackendError) -> Value {
    do throws(DataError) { return try body() } catch { throw BackendError(.file, error.description) }
}
