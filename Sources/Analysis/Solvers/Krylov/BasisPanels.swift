import Backend
import Planner

/// How the rows of a basis are cut into panels. It depends on neither budgets nor the number of steps, so that sums are
/// rounded alike wherever a panel lives.
struct BasisPanels {
    /// Rows of the largest panel.
    let largest: Int
    /// Rows of the first panel: those of short vectors all lie in few panels.
    private let first: Int

    /// Panels of vectors of `rowBytes` bytes, the first of about `firstBytes`; none is larger than an eighth of a GiB or
    /// than the device allocates.
    init(rowBytes: Int, firstBytes: Int, on backend: any Backend) {
        let bytes = min(1 << 27, backend.device.largestAllocationBytes)
        let rows = max(1, min(256, bytes / max(1, rowBytes)))
        // Products round the number of rows up to eights.
        largest = rows < 8 ? rows : rows / 8 * 8
        first = min(largest, max(32, firstBytes / max(1, rowBytes) / 8 * 8))
    }

    /// Rows of a panel that begins at row `start`: panels double, so that short runs take little and long ones few steps.
    func rows(from start: Int) -> Int { min(largest, max(first, start)) }

    /// Rows to allocate for a panel, if no more than `capacity` rows will ever be there.
    func room(from start: Int, capacity: Int) -> Int {
        let rows = rows(from: start)
        return largest < 8 ? rows : min(rows, (capacity - start + 7) / 8 * 8)
    }

    /// The rooms of all panels of a basis of `capacity` rows.
    func rooms(capacity: Int) -> [Int] {
        var rooms: [Int] = []
        var start = 0
        while start < capacity {
            rooms.append(room(from: start, capacity: capacity))
            start += rows(from: start)
        }
        return rooms
    }
}
