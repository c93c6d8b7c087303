import Data
import Foundation

/// What a density is of: everything that decides its bits, as far as it can be named.
struct DensityManifest: Codable, Equatable {
    var dimension: Int, precision: String, device: String, seed: UInt64, steps: Int, probes: Int
    var kind: String, known: String, label: String
    /// Probes that run side by side: a block product's bits may depend on it, so it is kept.
    var sideBySide: Int

    /// What differs from an earlier one, in words.
    func differences(from earlier: DensityManifest) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ name: String, _ key: KeyPath<DensityManifest, Value>) {
            let (mine, other) = (self[keyPath: key], earlier[keyPath: key])
            if mine != other { found.append("\(name) (\(other) before, \(mine) now)") }
        }
        compare("the dimension", \.dimension)
        compare("the precision", \.precision)
        compare("the device", \.device)
        compare("the seed", \.seed)
        compare("the number of steps", \.steps)
        compare("the number of probes", \.probes)
        compare("the kind of probes", \.kind)
        compare("the operator", \.label)
        if known != earlier.known { found.append("the known eigenvalues") }
        return found
    }
}

/// The folder of an interrupted or finished density: a manifest, a record for every probe, and the vectors of probes
/// that are not finished.
final class DensityFolder {
    /// A probe's coefficients so far; its rule once it is finished.
    private struct Record: Codable {
        var manifest: DensityManifest
        var probe: Int
        var state: KrylovState
        var rule: QuadratureRule?
    }

    /// What the folder holds; it has the block size of the run that began.
    let manifest: DensityManifest
    private let folder: String
    private let lock: FileHandle

    /// Begins a folder, or opens one that has the same manifest. Throws if it belongs to another run or another process
    /// works on it.
    init(_ folder: String, _ wanted: DensityManifest) throws(DataError) {
        self.folder = folder
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let lockPath = folder + "/lock", path = folder + "/density.json"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw DataError("cannot write '\(lockPath)': \(String(cString: strerror(errno)))")
        }
        lock = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // A process that is just being started holds copies of our descriptors for a moment.
        var patience = 50
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, patience > 0 {
            patience -= 1
            usleep(10_000)
        }
        guard patience > 0 else {
            throw DataError("'\(folder)' is in use by another process")
        }
        // What a killed process had begun to write.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix(".landscape-") && name.hasSuffix(".tmp") { unlink(folder + "/" + name) }
        guard FileManager.default.fileExists(atPath: path) else {
            manifest = wanted
            try Self.write(wanted, path)
            return
        }
        let earlier: DensityManifest = try Self.read(path)
        let differences = wanted.differences(from: earlier)
        guard differences.isEmpty else { throw Self.refusal(folder, differences) }
        manifest = earlier
    }

    private static func refusal(_ path: String, _ differences: [String]) -> DataError {
        DataError(
            "'\(path)' holds another density: \(differences.joined(separator: ", ")) differ; choose another folder, "
                + "or delete this one to begin again")
    }

    private func path(_ probe: Int, _ suffix: String) -> String { "\(folder)/probe-\(probe).\(suffix)" }

    /// The record of a probe, which must be of this run.
    private func record(_ probe: Int) throws(DataError) -> Record? {
        let path = path(probe, "json")
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let record: Record = try Self.read(path)
        var differences = manifest.differences(from: record.manifest)
        if record.probe != probe { differences.append("the probe (\(record.probe) before, \(probe) now)") }
        guard differences.isEmpty else { throw Self.refusal(path, differences) }
        return record
    }

    /// The rule of a finished probe.
    func rule(_ probe: Int) throws(DataError) -> QuadratureRule? {
        guard let rule = try record(probe)?.rule else { return nil }
        // Killed after the record and before the vectors went.
        unlink(path(probe, "vectors"))
        return rule
    }

    /// Where a probe stands that is not finished.
    func checkpoint(_ probe: Int, rowBytes: Int) throws(DataError) -> KrylovCheckpoint {
        let state = try record(probe)?.state
        let manifest = manifest, path = path(probe, "json")
        return try KrylovCheckpoint(self.path(probe, "vectors"), rowBytes: rowBytes, state: state) {
            state throws(DataError) in
            try Self.write(Record(manifest: manifest, probe: probe, state: state), path)
        }
    }

    /// Keeps the rule of a probe and removes its vectors.
    func finish(_ probe: Int, _ rule: QuadratureRule) throws(DataError) {
        try Self.write(
            Record(manifest: manifest, probe: probe, state: KrylovState(), rule: rule), path(probe, "json"))
        unlink(path(probe, "vectors"))
    }

    private static func write(_ value: some Encodable, _ path: String) throws(DataError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(value) else {
            throw DataError("cannot write '\(path)': it holds a number that is not finite")
        }
        try writeAtomically([UInt8](bytes), to: path)
    }

    private static func read<Value: Decodable>(_ path: String) throws(DataError) -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: Foundation.Data(try readBytes(path)))
        else {
            throw DataError(
                "'\(path)' is damaged or is no record of a density: delete it to begin this part again")
        }
        return value
    }
}
