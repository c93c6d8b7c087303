import Backend
import Data
import Foundation
import Planner

/// Orthonormal vectors in panels: the first on the device, further ones in host memory, the rest in a file.
///
/// Panels are allocated when their first row comes and never move. A panel that is not on the device passes through one
/// staging panel there.
final class KrylovBasis {
    let space: VectorSpace
    let panelling: BasisPanels
    let capacity: Int, rowBytes: Int
    var panels: [BasisPanel] = []
    private let places: [BasisPlace]
    /// The file of the last tier, or the one in which all rows are kept.
    let file: BasisFile?
    private let keepsAll: Bool
    /// A panel on its way through the device, and the newest row where its panel is elsewhere.
    private var staging: DeviceArray?, newest: DeviceArray?
    /// One row on its way between places.
    let buffer: UnsafeMutableRawBufferPointer
    /// Vectors so far.
    var count = 0
    /// Checksum of the newest row as it was kept.
    private(set) var checksum: UInt32 = 0

    /// Room for `capacity` vectors. With `file`, all of them are kept there, and it is the last tier.
    ///
    /// Throws `.outOfMemory` if the budgets do not hold them.
    init(
        _ space: VectorSpace, capacity: Int, memory: BasisMemory = .unlimited, file: BasisFile? = nil
    ) throws(BackendError) {
        (self.space, self.capacity) = (space, capacity)
        rowBytes = max(1, space.dimension * space.precision.bytes)
        panelling = BasisPanels(rowBytes: rowBytes, firstBytes: memory.firstPanel, on: space.backend)
        let rooms = panelling.rooms(capacity: capacity)
        places = try BasisPlace.choose(
            rooms.map { [rowBytes] in $0 * rowBytes }, memory, hasFile: file != nil || memory.scratch != nil,
            rowBytes: rowBytes)
        keepsAll = file != nil
        if let file {
            self.file = file
        } else if places.contains(.file), let folder = memory.scratch {
            self.file = try onFiles { [rowBytes] () throws(DataError) in
                try BasisFile(temporaryIn: folder, rowBytes: rowBytes)
            }
        } else {
            self.file = nil
        }
        buffer = .allocate(byteCount: rowBytes, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// The newest vector.
    var latest: DeviceSlice {
        if let panel = panels.last, case .device(let array) = panel.storage {
            return space.row(count - 1 - panel.start, of: array)
        }
        return newest!.all
    }

    /// Appends `factor·vector`.
    func append(_ factor: Double, _ vector: DeviceSlice) throws(BackendError) {
        try open()
        count += 1
        try space.scale(factor, vector, into: latest)
        let bytes = UnsafeRawBufferPointer(buffer)
        if panels.last!.isOnDevice && !keepsAll { return }
        try space.backend.read(latest, into: buffer)
        if case .host(let memory) = panels.last!.storage {
            memory.row(count - 1 - panels.last!.start, rowBytes).copyMemory(from: bytes)
        }
        guard let file, keepsAll || panels.last!.isInFile else { return }
        try onFiles { [count] () throws(DataError) in try file.write(count - 1, bytes) }
        if keepsAll { checksum = Checksum.crc32(bytes) }
    }

    /// One pass of Gram-Schmidt: `v −= Qᵀ·(Q·v)`, panel by panel, each of which is streamed once. Returns the
    /// coefficient of the newest row; `v` and `w` may have changed places.
    func removeSpan(from v: inout DeviceArray, _ w: inout DeviceArray) throws(BackendError) -> Double {
        var coefficient = 0.0
        for (index, panel) in panels.enumerated() {
            let array = try onDevice(panel)
            let part = try space.reject(v.all, from: array, panel.rows, into: w.all)
            swap(&v, &w)
            if index == panels.count - 1 {
                coefficient = try space.backend.download(part[panel.rows - 1..<panel.rows])[0]
            }
        }
        return coefficient
    }

    /// `v += Σ s[i]·row i`; `v` and `w` may have changed places.
    func add(_ s: [Double], to v: inout DeviceArray, _ w: inout DeviceArray) throws(BackendError) {
        for panel in panels where panel.start < s.count {
            let part = Array(s[panel.start..<min(s.count, panel.start + panel.rows)])
            try space.add(v.all, part, of: try onDevice(panel), into: w.all)
            swap(&v, &w)
        }
    }

    /// Makes sure that there is room for one more row.
    func open() throws(BackendError) {
        precondition(count < capacity, "a basis of \(capacity) vectors is full")
        if let panel = panels.last, count < panel.start + panelling.rows(from: panel.start) {
            panels[panels.count - 1].rows += 1
            return
        }
        let room = panelling.room(from: count, capacity: capacity)
        let storage: BasisPanel.Storage
        switch places[panels.count] {
        case .device: storage = .device(try space.vectors(room))
        case .host: storage = .host(HostRows(room * rowBytes))
        case .file: storage = .file
        }
        if places[panels.count] != .device, newest == nil { newest = try space.vector() }
        panels.append(BasisPanel(start: count, rows: 1, storage: storage))
    }

    /// The panel itself, or its copy in the staging panel.
    private func onDevice(_ panel: BasisPanel) throws(BackendError) -> DeviceArray {
        if case .device(let array) = panel.storage { return array }
        if staging == nil {
            let rooms = panelling.rooms(capacity: capacity)
            staging = try space.vectors(rooms.max() ?? 1)
        }
        let staging = staging!
        // Products take eights of rows.
        try clear(panel.rows..<min(staging.count / space.dimension, (panel.rows + 7) / 8 * 8), of: staging)
        switch panel.storage {
        case .device: break
        case .host(let memory):
            try space.backend.write(
                UnsafeRawBufferPointer(rebasing: memory.bytes[..<(panel.rows * rowBytes)]),
                to: staging[0..<panel.rows * space.dimension])
        case .file:
            for index in 0..<panel.rows {
                try onFiles { [file, buffer] () throws(DataError) in
                    try file?.read(panel.start + index, into: buffer)
                }
                try space.backend.write(UnsafeRawBufferPointer(buffer), to: space.row(index, of: staging))
            }
        }
        return staging
    }
}
