import Data
import Foundation
import Graph
import Models

/// Runs the built command as a user would.
enum Command {
    struct Result {
        var status: Int32
        var output: String
        var errors: String

        /// The one JSON object on stdout.
        func json() throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: Foundation.Data(output.utf8))
            return object as? [String: Any] ?? [:]
        }
    }

    /// The binary beside the test bundle.
    static let binary: URL = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let bundle = Bundle.main.bundleURL
        for candidate in [folder, bundle, bundle.deletingLastPathComponent()] {
            let binary = candidate.appendingPathComponent("landscape")
            if FileManager.default.isExecutableFile(atPath: binary.path) { return binary }
        }
        folder =
            Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
                FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("landscape").path)
            } ?? folder
        return folder.appendingPathComponent("landscape")
    }()

    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: neither stream can fill up while the other is read.
        let folder = try Scratch()
        let (output, errors) = (folder.path("stdout"), folder.path("stderr"))
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Foundation.Data(), as: UTF8.self)
        }
        return Result(status: process.terminationStatus, output: text(output), errors: text(errors))
    }

    /// Runs a command that must succeed and prints JSON.
    static func json(_ arguments: [String]) throws -> [String: Any] {
        let result = try run(arguments + ["--json"])
        guard result.status == 0 else { throw Failure(description: "\(arguments): \(result.errors)") }
        return try result.json()
    }

    struct Failure: Error, CustomStringConvertible { var description: String }
}

/// A folder of its own that goes away with the value.
final class Scratch {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("landscape-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func text(_ text: String, _ name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    func array(_ values: [Double], _ shape: [Int], _ name: String) throws -> String {
        try Npy.write(NDArray(shape: shape, doubles: values), to: path(name))
        return path(name)
    }

    func labels(_ values: [Int], _ name: String) throws -> String {
        try Npy.write(NDArray(shape: [values.count], integers: values), to: path(name))
        return path(name)
    }

    func weights(_ tensors: [(String, Shape, [Double])], _ name: String) throws -> String {
        try Safetensors.write(
            tensors.map { NamedTensor(name: $0.0, shape: $0.1, values: $0.2) }, to: path(name), .float64)
        return path(name)
    }
}

/// Numbers of a JSON array.
func numbers(_ value: Any?) -> [Double] {
    (value as? [Any] ?? []).compactMap { ($0 as? NSNumber)?.doubleValue }
}
func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? .nan }
