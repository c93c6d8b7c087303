import ArgumentParser
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
    func network(_ samples: Samples?) throws -> Network {
        if Builders.names.contains(model), let samples {
            guard let classes = samples.classes else {
                throw CommandError(
                    "--model \(model): the number of outputs is unknown; give --labels or --targets, or a model file"
                )
            }
            let input = Shape(Array(samples.inputs.shape.dropFirst()))
            return try Builders.build(model, input: input, classes: classes)!
        }
        return try ModelFile.read(model)
    }

    /// The weights from the file, or fresh ones.
    func load(_ network: Network, seed: UInt64) throws -> Weights {
        guard let weights else { return Weights.initial(network, seed: seed) }
        return try Weights.read(weights, for: network)
    }
}
