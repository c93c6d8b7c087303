import ArgumentParser
import Data
import Models

/// Held-out samples, beside those of `DataOptions`.
struct TestDataOptions: ParsableArguments {
    @Option(help: "Held-out samples as .npy, [M, …].")
    var testInputs: String?

    @Option(help: "Their class labels as .npy, [M].")
    var testLabels: String?

    @Option(help: "Their regression targets as .npy, [M, O].")
    var testTargets: String?

    @Option(help: "NAME[:SPLIT[:COUNT]] instead of held-out arrays.")
    var testData: String?

    /// The samples, if any were given; targets may be missing.
    func load() throws -> Samples? {
        switch (testInputs, testData) {
        case (nil, nil):
            if testLabels != nil || testTargets != nil {
                throw CommandError("--test-labels and --test-targets go with --test-inputs")
            }
            return nil
        case (.some, .some): throw CommandError("--test-inputs and --test-data exclude each other")
        case (nil, .some(let data)):
            if testLabels != nil || testTargets != nil {
                throw CommandError(
                    "--test-labels and --test-targets go with --test-inputs; --test-data brings its own")
            }
            return try Samples(DataSource(parsing: data).load().validated(), file: data)
        case (.some(let inputs), nil):
            if testLabels != nil && testTargets != nil {
                throw CommandError("--test-labels and --test-targets exclude each other")
            }
            return try Samples(
                inputs: Npy.read(inputs).scaledPixels, labels: testLabels.map { try Npy.read($0) },
                targets: testTargets.map { try Npy.read($0) }, file: inputs, labelFile: testLabels,
                targetFile: testTargets)
        }
    }
}
