import Backend
import Data
import Planner

extension KrylovBasis {
    /// Fills an empty basis with the first `rows` vectors of its file.
    func load(_ rows: Int) throws(BackendError) {
        guard let file else { return }
        while count < rows {
            try open()
            count += 1
            let panel = panels.last!
            try onFiles { [count, buffer] () throws(DataError) in try file.read(count - 1, into: buffer) }
            let bytes = UnsafeRawBufferPointer(buffer)
            switch panel.storage {
            case .device: try space.backend.write(bytes, to: latest)
            case .host(let memory):
                memory.row(count - 1 - panel.start, rowBytes).copyMemory(from: bytes)
            case .file: break
            }
            if count == rows, !panel.isOnDevice { try space.backend.write(bytes, to: latest) }
        }
    }

    /// Forgets all vectors from `rows` on.
    func truncate(_ rows: Int) throws(BackendError) {
        guard rows < count else { return }
        while let last = panels.last, last.start >= rows { panels.removeLast() }
        count = rows
        guard let panel = panels.last else { return }
        let dropped = rows - panel.start..<panel.rows
        panels[panels.count - 1].rows = rows - panel.start
        switch panel.storage {
        case .device(let array): try clear(dropped, of: array)
        case .host(let memory):
            try space.backend.write(
                UnsafeRawBufferPointer(memory.row(rows - 1 - panel.start, rowBytes)), to: latest)
        case .file:
            try onFiles { [file, buffer] () throws(DataError) in try file?.read(rows - 1, into: buffer) }
            try space.backend.write(UnsafeRawBufferPointer(buffer), to: latest)
        }
    }

    /// Makes rows zero.
    func clear(_ rows: Range<Int>, of array: DeviceArray) throws(BackendError) {
        let zeros = [Double](repeating: 0, count: rows.isEmpty ? 0 : space.dimension)
        for row in rows { try space.backend.write(zeros, to: space.row(row, of: array)) }
    }
}
