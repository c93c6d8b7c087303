/// A stretch of time during which a value needs memory.
struct Lifetime: Sendable {
    /// Elements.
    var count: Int
    /// First and last step at which the memory is in use.
    var first: Int, last: Int
}

/// Places values in one arena such that no two that are alive together overlap.
enum Arena {
    /// Offsets are multiples of this many elements: 256 bytes in float32.
    static let alignment = 64

    /// Offsets of all values and the arena's size, largest values placed first, each as low as possible.
    static func place(_ lifetimes: [Lifetime]) -> (offsets: [Int], count: Int) {
        var offsets = [Int](repeating: 0, count: lifetimes.count)
        var placed: [Int] = []
        var total = 0
        let order = lifetimes.indices.sorted {
            (lifetimes[$1].count, lifetimes[$0].first, $0) < (lifetimes[$0].count, lifetimes[$1].first, $1)
        }
        for index in order {
            let value = lifetimes[index]
            let neighbours = placed.filter {
                lifetimes[$0].first <= value.last && value.first <= lifetimes[$0].last
            }
            var offset = 0
            for other in neighbours.sorted(by: { offsets[$0] < offsets[$1] }) {
                if offset + value.count <= offsets[other] { break }
                offset = max(offset, aligned(offsets[other] + lifetimes[other].count))
            }
            offsets[index] = offset
            total = max(total, offset + value.count)
            placed.append(index)
        }
        return (offsets, aligned(total))
    }

    private static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
}
