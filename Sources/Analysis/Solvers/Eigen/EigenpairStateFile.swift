import Backend
import Data
import Foundation

/// A state in a folder: `state.json` holds the numbers and names the `.npy` file of the vectors `[rows, dimension]`, in the
/// operator's precision. The vectors are written first and the JSON replaced last, so a kill leaves the state before.
extension EigenpairState {
    private struct File: Codable {
        var vectors: String
        var numbers: EigenpairNumbers
    }

    /// Writes the state into a folder, which is made if it is missing. Throws if the disk is full or a device fails.
    public func write(to folder: String) throws(BackendError) {
        let path = folder + "/state.json"
        let before = try? Self.file(path).vectors
        let name = "vectors-\(numbers.counters.products)-\(numbers.counters.round).npy"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Zero rows of an array are no rows for other readers, but one.
            var stream = try NpyStream(
                replacing: folder + "/" + name, shape: [numbers.rows, numbers.search.dimension],
                isWide: numbers.search.precision == "float64")
            for index in 0..<numbers.rows { try stream.write(try vector(index)) }
            try stream.commit()
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let json = try encoder.encode(File(vectors: name, numbers: numbers))
            try writeAtomically([UInt8](json), to: path)
        } catch let error as BackendError {
            throw error
        } catch {
            throw BackendError(.program, "the state of an eigenvalue search was not saved: \(error)")
        }
        if let before, before != name { try? FileManager.default.removeItem(atPath: folder + "/" + before) }
    }

    /// The state in a folder; nil if there is none. Throws if it is damaged; its vectors are read when they are needed.
    public static func read(_ folder: String) throws(BackendError) -> EigenpairState? {
        let path = folder + "/state.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let file = try Self.file(path)
            let rows = file.numbers.rows, n = file.numbers.search.dimension
            if rows == 0 { return EigenpairState(numbers: file.numbers) { _ in [] } }
            let matrix = try MappedMatrix(folder + "/" + file.vectors)
            guard matrix.shape == [rows, n] else {
                throw DataError("'\(file.vectors)' has shape \(matrix.shape), expected [\(rows), \(n)]")
            }
            return EigenpairState(numbers: file.numbers) { matrix.doubles($0..<$0 + 1) }
        } catch {
            throw BackendError(.program, "the saved state '\(path)' cannot be read: \(error)")
        }
    }

    private static func file(_ path: String) throws -> File {
        try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
