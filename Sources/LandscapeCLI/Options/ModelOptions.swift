import ArgumentParser
import Foundation
import Graph
import Models
import Training

/// Which network, and its weights.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A model file (YAML), or one of \(Builders.names.joined(separator: ", ")).",
            discussion: "A named model takes its input and output sizes from the data."))
    var model: String

    @Option(
        help:
            "A .safetensors file, named as PyTorch's Sequential does. Without it, weights start from --seed.")
    var weights: String?

    /// The network; `samples` decides the sizes of a named one.
    func network(_ samples: Samples?) throws -> Network { try Self.network(model, samples) }

    /// A network by name, sized by the samples, or one from a file.
    static func network(_ model: String, _ samples: Samples?) throws -> Network {
        guard Builders.names.contains(model), let samples else {
            guard Builders.names.contains(model) || FileManager.default.fileExists(atPath: model) else {
                let names = Builders.names.joined(separator: ", ")
                throw CommandError("--model \(model): no such file; models by name are \(names)")
            }
            return try ModelFile.read(model)
        }
        guard let classes = samples.classes else {
            throw CommandError(
                "--model \(model): the number of outputs is unknown; give --labels or --targets, or a model file"
            )
        }
        let dims = Array(samples.inputs.shape.dropFirst())
        do throws(ModelError) {
            return try Builders.build(model, input: Shape(dims), classes: classes)!
        } catch {
            throw CommandError(
                "\(samples.file): samples of shape \(dims) do not suit --model \(model): \(error)")
        }
    }

    /// The weights from the file, or fresh ones.
    func load(_ network: Network, seed: UInt64) throws -> Weights {
        guard let weights else { return Weights.initial(network, seed: seed) }
        return try Weights.read(weights, for: network)
    }

    /// The same; that weights are fresh is told, as they may have been forgotten.
    func loadOrStart(_ network: Network, seed: UInt64) throws -> Weights {
        if weights == nil { Console.note("weights start from seed \(seed); --weights gives your own") }
        return try load(network, seed: seed)
    }
}
