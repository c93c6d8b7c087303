import Backend
import Data
import Foundation
import Report

/// The folder of a long command: configuration, log, metrics, arrays, figures. The same command on the same folder
/// goes on where it was.
struct RunFolder {
    let path: String

    /// What was run, on what. A folder belongs to one configuration.
    struct Record<Configuration: Codable & Equatable>: Codable {
        var command: [String]
        var configuration: Configuration
        var device: DeviceInfo
        var version: String
    }

    /// Creates the folder, or opens it if it holds a run of the same configuration on the same device. A folder
    /// that holds one of the files `owned` by a run, but no run, is somebody's own and is refused.
    init<Configuration: Codable & Equatable>(
        _ path: String, _ configuration: Configuration, _ device: DeviceInfo, owned: [String]
    ) throws {
        self.path = path
        try makeFolder(path)
        let record = Record(
            command: CommandLine.arguments, configuration: configuration, device: device,
            version: Landscape.configuration.version)
        let encoded = try JSON.encode(record)
        let file = self.path("config.json")
        if FileManager.default.fileExists(atPath: file) {
            let bytes = Foundation.Data(try readBytes(file))
            guard let old = try? JSON.decode(Record<Configuration>.self, bytes),
                old.configuration == configuration, old.device.name == device.name,
                old.device.backend == device.backend
            else {
                let differences = Settings.differences(bytes, encoded).joined(separator: ", ")
                throw CommandError(
                    "\(path) holds another run: \(differences); choose another --output, or remove the folder"
                )
            }
        } else if let foreign = owned.first(where: { exists($0) }) {
            throw CommandError(
                "\(path) holds a \(foreign) that no run has written there; choose another --output")
        } else {
            try write(encoded, "config.json")
        }
    }

    /// The path of a file in the folder.
    func path(_ name: String) -> String { path + "/" + name }

    /// A folder inside.
    func folder(_ name: String) throws -> String {
        let inner = path(name)
        try makeFolder(inner)
        return inner
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Writes a file; an earlier one stays whole if that fails.
    func write(_ data: Foundation.Data, _ name: String) throws {
        try writeAtomically([UInt8](data), to: path(name))
    }

    /// Writes an array that NumPy opens.
    func write(_ values: [Double], _ shape: [Int], _ name: String) throws {
        try Npy.write(NDArray(shape: shape, doubles: values), to: path(name))
    }

    /// A line in the log, with the time.
    func log(_ text: String) throws {
        try appendText("\(Date().ISO8601Format()) \(text)\n", to: path("log.txt"))
    }

    /// The result of a stage: read if it was finished before, else computed and kept.
    func stage<Result: Codable>(_ name: String, _ body: () throws -> Result) throws -> Result {
        let file = "\(name).json"
        if exists(file),
            let result = try? JSON.decode(Result.self, Foundation.Data(try readBytes(path(file))))
        {
            return result
        }
        let clock = ContinuousClock.now
        let result = try body()
        // Results pass through their file, so that a run that goes on sees exactly the same numbers.
        let data = try JSON.encode(result)
        try write(data, file)
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        Console.clear()
        try log("\(name) took \(formatSeconds(seconds))")
        return try JSON.decode(Result.self, data)
    }
}
