import Backend
import Data
import Foundation
import Graph
import Models

/// Everything from which training goes on bit for bit: weights, optimiser state, position in the streams.
public struct Checkpoint: Sendable {
    /// Steps done.
    public var step: Int
    /// Position of the stream of attack starts.
    public var attackPosition: UInt64
    /// Weights and running statistics.
    public var weights: Weights
    /// Vectors of the optimiser, by name.
    public var optimizer: [(name: String, values: [Double])]

    private struct Record: Codable {
        var step: Int
        var attackPosition: UInt64
        var optimizer: [String]
    }

    /// Path of the weights of a checkpoint, which `--weights` accepts.
    public static func weightsPath(_ folder: String, step: Int) -> String {
        path(folder, step, "safetensors")
    }

    private static func path(_ folder: String, _ step: Int, _ suffix: String) -> String {
        let number = String(step)
        return "\(folder)/step-\(String(repeating: "0", count: max(0, 7 - number.count)))\(number).\(suffix)"
    }

    /// Writes a checkpoint; the record comes last, so a checkpoint with a record is whole.
    public func write(to folder: String, for network: Network, _ format: Safetensors.Format) throws {
        try writeAtomically(
            weights.bytes(for: network, format), to: Self.path(folder, step, "safetensors"))
        let tensors = optimizer.map {
            NamedTensor(name: $0.name, shape: [$0.values.count], values: $0.values)
        }
        try writeAtomically(
            Safetensors.bytes(tensors, format), to: Self.path(folder, step, "optimizer.safetensors"))
        let record = Record(step: step, attackPosition: attackPosition, optimizer: optimizer.map(\.name))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try writeAtomically([UInt8](encoder.encode(record)), to: Self.path(folder, step, "json"))
    }

    /// Reads the checkpoint of a step.
    public static func read(from folder: String, step: Int, for network: Network) throws -> Checkpoint {
        let recordPath = path(folder, step, "json")
        let record: Record
        do {
            record = try JSONDecoder().decode(Record.self, from: Foundation.Data(try readBytes(recordPath)))
        } catch let error as DataError {
            throw error
        } catch {
            throw TrainingError("\(recordPath): is not the record of a checkpoint, or is truncated")
        }
        guard record.step == step else {
            throw TrainingError("\(recordPath): is the record of step \(record.step), expected \(step)")
        }
        let weights = try Weights.read(path(folder, step, "safetensors"), for: network)
        let vectors = try Safetensors.read(path(folder, step, "optimizer.safetensors"))
        let optimizer = try record.optimizer.map { name in
            guard let tensor = vectors.first(where: { $0.name == name }),
                tensor.values.count == network.layout.count
            else {
                throw TrainingError(
                    "\(recordPath): the optimiser's vector \"\(name)\" is missing or does not fit")
            }
            return (name: name, values: tensor.values)
        }
        return Checkpoint(
            step: record.step, attackPosition: record.attackPosition, weights: weights, optimizer: optimizer)
    }

    /// Steps of all whole checkpoints in a folder, ascending.
    public static func steps(in folder: String) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("step-"), name.hasSuffix(".json") else { return nil }
            return Int(name.dropFirst(5).dropLast(5))
        }.filter { step in
            ["safetensors", "optimizer.safetensors"].allSatisfy {
                FileManager.default.fileExists(atPath: path(folder, step, $0))
            }
        }.sorted()
    }
}

/// Training that cannot go on.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
    /// What happened, and what may help.
    public let description: String
    init(_ description: String) { self.description = description }
}
