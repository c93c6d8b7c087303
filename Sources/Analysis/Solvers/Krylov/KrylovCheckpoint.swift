import Backend
import Data
import Foundation

/// The coefficients of a factorisation after some whole steps, and the checksums of its vectors.
struct KrylovState: Codable, Equatable {
    var alphas: [Double] = [], betas: [Double] = []
    var isInvariant = false
    var checksums: [UInt32] = []
}

/// A factorisation in a folder: a file of vectors, and a record that is replaced after every step, once the step's vector
/// is in the file. Killed at any moment, it goes on from the last whole step.
final class KrylovCheckpoint {
    /// The file of vectors.
    let file: BasisFile
    /// What was found, less what was torn off.
    private(set) var state: KrylovState?
    private let write: (KrylovState) throws(DataError) -> Void

    /// Opens the vectors of a record that was read, or begins anew if there is none; `write` replaces the record.
    ///
    /// Throws if a vector is damaged while later ones are not, which no interruption does.
    init(
        _ path: String, rowBytes: Int, state: KrylovState?,
        write: @escaping (KrylovState) throws(DataError) -> Void
    ) throws(DataError) {
        file = try BasisFile(path, rowBytes: rowBytes)
        self.write = write
        guard var state else { return }
        let rows = state.checksums.count, whole = min(rows, file.rows)
        var sound: [Bool] = []
        for row in 0..<whole { sound.append(try file.checksum(row) == state.checksums[row]) }
        let good = sound.firstIndex(of: false) ?? whole
        guard !sound[good...].contains(true) else {
            throw DataError(
                "'\(path)' is damaged in vector \(good) of \(rows): delete it and the record beside it to begin "
                    + "this probe again")
        }
        if good == 0 { return }
        if good < rows {
            // Without its vector a step is not whole.
            state.alphas = Array(state.alphas.prefix(good - 1))
            state.betas = Array(state.betas.prefix(good - 1))
            state.checksums = Array(state.checksums.prefix(good))
            state.isInvariant = false
        }
        self.state = state
    }

    /// Notes the state after a step whose vector is in the file.
    func save(
        _ alphas: [Double], _ betas: [Double], _ isInvariant: Bool, rows: Int, newest: UInt32
    ) throws(BackendError) {
        var checksums = Array((state?.checksums ?? []).prefix(rows))
        // A step that adds no vector leaves the checksums as they are.
        if rows == alphas.count + 1 {
            checksums = Array(checksums.prefix(rows - 1)) + [newest]
        }
        let next = KrylovState(
            alphas: alphas, betas: betas, isInvariant: isInvariant, checksums: checksums)
        try onFiles { () throws(DataError) in try write(next) }
        state = next
    }

    /// The error for a step that did not come out as before.
    func disagreement(step: Int) -> BackendError {
        BackendError(
            .file,
            "'\(file.path)' was made by another operator or by another device: step \(step) done again gives other "
                + "numbers; choose another folder, or delete this one to begin again")
    }
}
