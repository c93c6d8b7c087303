import Backend

/// A list of vectors on the device that grows in pieces: nothing is copied when it does.
final class RowStore {
    /// Vectors of one product when vectors are combined.
    private static let groupRows = 4
    /// Vectors of one piece: as many as 32 MiB hold, 32 at most. It depends on their length alone, and so do sums.
    private let pieceRows: Int
    let space: VectorSpace
    private(set) var count = 0
    private var pieces: [DeviceArray] = []

    init(_ space: VectorSpace) {
        self.space = space
        pieceRows = max(1, min(32, (32 << 20) / max(1, space.dimension * space.precision.bytes)))
    }

    /// Vector `index`.
    func row(_ index: Int) -> DeviceSlice {
        space.row(index % pieceRows, of: pieces[index / pieceRows])
    }

    /// The vectors `range`.
    func rows(_ range: Range<Int>) -> [DeviceSlice] { range.map(row) }

    /// All vectors.
    var all: [DeviceSlice] { rows(0..<count) }

    /// Room for one more vector, which the caller fills.
    func appendRow() throws(BackendError) -> DeviceSlice {
        if count == pieces.count * pieceRows { pieces.append(try space.vectors(pieceRows)) }
        count += 1
        return row(count - 1)
    }

    /// Appends a copy of a vector.
    func append(_ vector: DeviceSlice) throws(BackendError) {
        try space.backend.copy(vector, to: try appendRow())
    }

    /// Copies of some vectors.
    func copy(_ range: Range<Int>) throws(BackendError) -> RowStore {
        let copy = RowStore(space)
        for index in range { try copy.append(row(index)) }
        return copy
    }

    /// Forgets all vectors from `count` on.
    func truncate(to count: Int) {
        self.count = count
        let needed = (count + pieceRows - 1) / pieceRows
        pieces.removeLast(pieces.count - needed)
    }

    /// The filled part of each piece: where it begins and how many vectors it holds.
    private var filled: [(array: DeviceArray, range: Range<Int>)] {
        pieces.enumerated().map { index, piece in
            let first = index * pieceRows
            return (piece, first..<min(count, first + pieceRows))
        }
    }

    /// Inner products of each row of a block `[rows, dimension]` with every vector.
    func project(_ block: DeviceSlice, rows: Int) throws(BackendError) -> [[Double]] {
        var found = [[Double]](repeating: [], count: rows)
        for (piece, range) in filled {
            let part = try space.project(block, rows: rows, on: piece, range.count)
            for row in 0..<rows { found[row] += part[row] }
        }
        return found
    }

    /// Subtracts from each row of a block its projection onto the span; returns the coefficients taken off.
    func remove(
        from block: DeviceSlice, rows: Int, scratch: DeviceSlice
    ) throws(BackendError) -> [[Double]] {
        let coefficients = try project(block, rows: rows)
        var (from, to) = (block, scratch)
        for (piece, range) in filled {
            try space.add(from, coefficients.map { $0[range].map { -$0 } }, of: piece, into: to)
            swap(&from, &to)
        }
        if filled.count % 2 == 1 { try space.backend.copy(scratch, to: block) }
        return coefficients
    }

    /// Appends to `target` the vectors `Σ coefficients[j][i]·row i`, one for every list.
    func combine(_ coefficients: [[Double]], into target: RowStore) throws(BackendError) {
        if coefficients.isEmpty || count == 0 { return }
        let group = min(Self.groupRows, coefficients.count), size = group * space.dimension
        var (sum, other) = (try space.vectors(group), try space.vectors(group))
        for first in stride(from: 0, to: coefficients.count, by: group) {
            let given = coefficients[first..<min(first + group, coefficients.count)]
            // A last group that is not full has zeros at its end, and so the same program.
            let zeros = [[Double]](
                repeating: [Double](repeating: 0, count: count), count: group - given.count)
            let lists = given + zeros
            for (index, (piece, range)) in filled.enumerated() {
                let part = lists.map { Array($0[range]) }
                if index == 0 {
                    try space.combine(part, of: piece, into: sum[0..<size])
                } else {
                    try space.add(sum[0..<size], part, of: piece, into: other[0..<size])
                    swap(&sum, &other)
                }
            }
            for row in 0..<given.count { try target.append(space.row(row, of: sum)) }
        }
    }
}
