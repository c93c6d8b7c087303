import Data
import Foundation
import Planner

/// What was found at every checkpoint, in a folder: a run that was killed goes on after the last of them.
struct TrackStore {
    let folder: String

    private struct Kept: Codable {
        var weights: String
        var line: TrackRun.Line
    }

    /// What was found at a checkpoint with the same weights, and its eigenvectors; nil if there is nothing whole.
    func read(_ index: Int, _ digest: String) throws -> (TrackRun.Line, [Double])? {
        let path = "\(folder)/\(index).json"
        guard FileManager.default.fileExists(atPath: path),
            let kept = try? JSON.decode(Kept.self, Foundation.Data(try readBytes(path))),
            kept.weights == digest
        else { return nil }
        return (kept.line, try Npy.read("\(folder)/\(index).npy").doubles)
    }

    /// Keeps what was found.
    func write(
        _ index: Int, _ digest: String, _ line: TrackRun.Line, _ vectors: [Double],
        _ dimension: Int, _ precision: Precision
    ) throws {
        try Npy.write(
            .of(vectors, [vectors.count / dimension, dimension], precision), to: "\(folder)/\(index).npy")
        // The record comes last: with it, all is there.
        try writeAtomically(
            [UInt8](try JSON.encode(Kept(weights: digest, line: line))), to: "\(folder)/\(index).json")
    }
}
