import Backend

/// What makes the vectors of a block orthonormal, to all others and to each other.
extension BlockLanczos {
    func finiteNorms(_ rows: Int) throws(BackendError) -> [Double] {
        var norms: [Double] = []
        for row in 0..<rows { norms.append(try space.norm(space.row(row, of: block))) }
        guard norms.allSatisfy(\.isFinite) else {
            throw BackendError(
                .device, "the operator gave a vector that is not finite at Lanczos step \(basis.count)")
        }
        return norms
    }

    /// Removes the avoided vectors and the basis from the first rows of the block; returns the basis' coefficients.
    func removeAll(_ rows: Int) throws(BackendError) -> [[Double]] {
        let (given, other) = (part(block, rows), part(scratch, rows))
        for known in avoiding { _ = try known.remove(from: given, rows: rows, scratch: other) }
        return try basis.remove(from: given, rows: rows, scratch: other)
    }

    func removeAll(from row: DeviceSlice) throws(BackendError) {
        let other = space.row(0, of: scratch)
        for known in avoiding { _ = try known.remove(from: row, rows: 1, scratch: other) }
        _ = try basis.remove(from: row, rows: 1, scratch: other)
    }

    /// Removes the first `count` rows of the block from a vector.
    func removeMates(
        _ row: DeviceSlice, _ count: Int
    ) throws(BackendError) -> (coefficients: [Double], norm: Double) {
        if count == 0 { return ([], try space.norm(row)) }
        let other = space.row(0, of: scratch)
        let coefficients = try space.project(row, on: block, count)
        try space.add(row, coefficients.map { -$0 }, of: block, into: other)
        try space.backend.copy(other, to: row)
        return (coefficients, try space.norm(row))
    }

    /// Scales a vector to unit length; returns its length, or 0 if that is no more than `floor`.
    func makeUnit(_ row: DeviceSlice, floor: Double) throws(BackendError) -> Double {
        let norm = try space.norm(row), other = space.row(0, of: scratch)
        guard norm > floor, norm.isFinite else { return 0 }
        try space.scale(1 / norm, row, into: other)
        try space.backend.copy(other, to: row)
        return norm
    }

    /// Makes the first `rows` of the block orthonormal and moves those that are more than noise to its start. `sizes` says
    /// what length a row of length 1 stands for. Returns how many there are and `R`: row i was `Σ R[j][i]·q_j`.
    func orthonormalise(
        _ rows: Int, _ sizes: [Double]
    ) throws(BackendError) -> (count: Int, coefficients: [[Double]]) {
        var found: [[Double]] = []
        for index in 0..<rows {
            let row = space.row(index, of: block), target = space.row(found.count, of: block)
            for _ in 0..<(found.isEmpty ? 0 : 2) {
                let removed = try removeMates(row, found.count).coefficients
                for j in found.indices { found[j][index] += removed[j] }
            }
            let size = try makeUnit(row, floor: noise / max(sizes[index], .leastNormalMagnitude))
            if size == 0 { continue }
            if found.count != index { try space.backend.copy(row, to: target) }
            found.append([Double](repeating: 0, count: rows))
            found[found.count - 1][index] = size
        }
        return (found.count, found)
    }
}
