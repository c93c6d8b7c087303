import Foundation
import Graph
import Models
import TestSupport

/// A network of one layer, flattened, from its line in a model file.
func single(_ layer: String, input: String) throws -> Network {
    try ModelFile.parse("input: \(input)\nlayers:\n  - \(layer)\n  - flatten\n", file: "m.yaml")
}

/// The value of a layer, from its line in a model file; tensors by name within the layer.
func value(
    of layer: String, input: String, _ x: [Double], _ tensors: [String: [Double]] = [:]
) throws -> [Double] {
    let network = try single(layer, input: input)
    var inputs = Dictionary(uniqueKeysWithValues: tensors.map { ("0.\($0)", $1) })
    inputs["x"] = x
    return Interpreter.run(network.forward(batchSize: x.count / network.input.count), inputs)[0]
}

/// sin(1.3·i + b): numbers that PyTorch was given too.
func ramp(_ count: Int, _ b: Double = -0.7) -> [Double] { (0..<count).map { sin(1.3 * Double($0) + b) } }

/// What a closure throws as a model error, or nil.
func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ModelError {
        return error.description
    } catch {
        return "another error: \(error)"
    }
}

/// A folder for the files of one test, removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/models-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
