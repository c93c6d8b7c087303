import Foundation
import Testing

@testable import Data

/// Runs `body` with a fresh folder that is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "/landscape-data-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}

func write(_ bytes: [UInt8], _ path: String) throws {
    try Foundation.Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// Expects `body` to throw a `DataError` whose text holds all of `words`.
func expectError<T>(
    _ words: String..., at location: SourceLocation = #_sourceLocation, _ body: () throws -> T
) {
    do {
        _ = try body()
        Issue.record("no error, expected one about \(words)", sourceLocation: location)
    } catch let error as DataError {
        for word in words where !error.description.contains(word) {
            Issue.record("'\(error)' does not mention '\(word)'", sourceLocation: location)
        }
    } catch {
        Issue.record("an error of another type: \(error)", sourceLocation: location)
    }
}

func base64(_ text: String) throws -> [UInt8] {
    let data = Foundation.Data(base64Encoded: text)
    return Array(try #require(data))
}

/// A `.npy` file with this header dictionary, not aligned, as old or foreign writers make them.
func npy(_ dictionary: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    var bytes: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0]
    bytes.appendLittleEndian(dictionary.utf8.count, size: version == 1 ? 2 : 4)
    return bytes + Array(dictionary.utf8) + data
}

func npy(_ descr: String, _ shape: String, _ data: [UInt8], fortran: Bool = false) -> [UInt8] {
    npy("{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n", data)
}

func idx(_ type: UInt8, _ sizes: [Int], _ data: [UInt8]) -> [UInt8] {
    [0, 0, type, UInt8(sizes.count)]
        + sizes.flatMap { size in (0..<4).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
        + data
}
