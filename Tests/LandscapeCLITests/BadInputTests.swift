import Data
import Foundation
import Testing

/// Bad input: one clear message, a non-zero exit, and no earlier file harmed.
@Suite(.serialized) struct BadInputTests {
    private let folder: Scratch
    private let model: String, weights: String, inputs: String, labels: String

    init() throws {
        folder = try Scratch()
        model = try folder.text("input: [2]\nlayers:\n  - dense: {units: 3}\n", "m.yaml")
        weights = try folder.weights(
            [("0.weight", [3, 2], [1, 2, 3, 4, 5, 6]), ("0.bias", [3], [0, 0, 0])], "w.safetensors")
        inputs = try folder.array([1, 0, 1, 1, 0, 2, 2, 1], [4, 2], "x.npy")
        labels = try folder.labels([0, 1, 2, 0], "y.npy")
    }

    /// Expects a failure whose message holds all the given words, and nothing on stdout.
    private func expectFailure(
        _ arguments: [String], _ words: String..., environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Command.run(arguments + ["--device", "cpu"], environment: environment)
        #expect(result.status != 0, "\(arguments)", sourceLocation: sourceLocation)
        #expect(result.output.isEmpty, "stdout: \(result.output)", sourceLocation: sourceLocation)
        for word in words {
            #expect(
                result.errors.contains(word), "no \"\(word)\" in: \(result.errors)",
                sourceLocation: sourceLocation)
        }
        let lines = result.errors.split(separator: "\n").filter {
            !$0.hasPrefix("Usage") && !$0.hasPrefix("  See")
        }
        #expect(lines.count <= 2, "one message: \(result.errors)", sourceLocation: sourceLocation)
    }

    private func evaluate(
        model: String? = nil, weights: String? = nil, inputs: String? = nil, labels: String? = nil
    ) -> [String] {
        [
            "evaluate", "--model", model ?? self.model, "--weights", weights ?? self.weights,
            "--inputs", inputs ?? self.inputs, "--labels", labels ?? self.labels,
        ]
    }

    private func truncated(_ path: String, _ count: Int, _ name: String) throws -> String {
        let bytes = try readBytes(path)
        try writeAtomically(Array(bytes.prefix(count)), to: folder.path(name))
        return folder.path(name)
    }

    @Test func goodInputWorks() throws {
        let json = try Command.json(evaluate() + ["--device", "cpu"])
        #expect(number(json["accuracy"]) >= 0)
    }

    @Test func truncatedFiles() throws {
        try expectFailure(evaluate(inputs: truncated(inputs, 100, "t.npy")), "t.npy", "truncated")
        try expectFailure(
            evaluate(weights: truncated(weights, 120, "t.safetensors")), "t.safetensors", "truncated")
        // An IDX folder with a truncated gzip stream, and one with a truncated IDX file.
        let idx = folder.path("idx")
        try FileManager.default.createDirectory(atPath: idx, withIntermediateDirectories: true)
        let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6]
        try writeAtomically(images, to: idx + "/train-images-idx3-ubyte")
        try writeAtomically([0, 0, 8, 1, 0, 0, 0, 2, 0, 1], to: idx + "/train-labels-idx1-ubyte")
        try expectFailure(
            ["evaluate", "--model", "mlp", "--data", idx], "train-images-idx3-ubyte", "truncated")
        try FileManager.default.removeItem(atPath: idx + "/train-images-idx3-ubyte")
        try writeAtomically(
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60], to: idx + "/train-images-idx3-ubyte.gz")
        try expectFailure(
            ["evaluate", "--model", "mlp", "--data", idx], "train-images-idx3-ubyte.gz", "truncated")
    }

    @Test func wrongWeights() throws {
        let wrong = try folder.weights(
            [("0.weight", [2, 3], [1, 2, 3, 4, 5, 6]), ("0.bias", [3], [0, 0, 0])], "a")
        try expectFailure(evaluate(weights: wrong), "0.weight", "[2×3]", "[3×2]")
        let missing = try folder.weights([("0.weight", [3, 2], [1, 2, 3, 4, 5, 6])], "b")
        try expectFailure(evaluate(weights: missing), "0.bias", "missing")
        let left = try folder.weights(
            [("0.weight", [3, 2], [1, 2, 3, 4, 5, 6]), ("0.bias", [3], [0, 0, 0]), ("7.bias", [1], [0])], "c")
        try expectFailure(evaluate(weights: left), "7.bias")
        try expectFailure(evaluate(weights: folder.path("none.safetensors")), "none.safetensors")
    }

    @Test func wrongSamples() throws {
        try expectFailure(
            evaluate(inputs: folder.array([1, 0, .nan, 1, 0, 2, 2, 1], [4, 2], "nan.npy")), "nan.npy",
            "sample 1")
        try expectFailure(
            evaluate(labels: folder.labels([0, 1, 3, 0], "big.npy")), "big.npy", "label 3", "sample 2")
        try expectFailure(evaluate(labels: folder.labels([0, -1, 2, 0], "neg.npy")), "neg.npy", "-1")
        try expectFailure(evaluate(labels: folder.labels([0, 1], "short.npy")), "short.npy", "[4]")
        try expectFailure(evaluate(inputs: folder.array([], [0, 2], "none.npy")), "none.npy", "no samples")
        try expectFailure(
            evaluate(inputs: folder.array([Double](repeating: 1, count: 12), [4, 3], "wide.npy")), "wide.npy",
            "[3]", "[2]")
        try expectFailure(evaluate(inputs: folder.path("absent.npy")), "absent.npy")
        try expectFailure(["evaluate", "--model", model], "--inputs", "--data")
        try expectFailure(["evaluate", "--model", "mlp", "--data", "digits:train:0"], "digits:train:0")
        try expectFailure(["evaluate", "--model", "mlp", "--data", "nosuchset"], "nosuchset")
    }

    @Test func samplesThatDoNotSuitTheMeasurement() throws {
        // Attacks act on pixels; cross-entropy wants classes; float32 has a largest number.
        let wide = try folder.array([5, 0, 1, 1, 0, 2, 2, 1], [4, 2], "wide.npy")
        try expectFailure(
            evaluate(inputs: wide) + ["--attack", "pgd", "--epsilon", "0.1"], "wide.npy", "[0, 1]")
        let targets = try folder.array([Double](repeating: 0.7, count: 12), [4, 3], "t.npy")
        try expectFailure(
            [
                "evaluate", "--model", model, "--weights", weights, "--inputs", inputs, "--targets", targets,
            ], "cross-entropy", "--loss mse")
        try expectFailure(
            evaluate(inputs: folder.array([1e300, 0, 1, 1, 0, 2, 2, 1], [4, 2], "huge.npy")), "huge.npy",
            "float32")
        try expectFailure(
            evaluate(labels: folder.labels([0, 1, Int.max, 0], "max.npy")), "max.npy", "\(Int.max)")
    }

    @Test func logitsNeedNoLabels() throws {
        let output = folder.path("only.npy")
        let json = try Command.json([
            "evaluate", "--model", model, "--weights", weights, "--inputs", inputs, "--output", output,
            "--device",
            "cpu",
        ])
        #expect(json["loss"] == nil && json["accuracy"] == nil && number(json["samples"]) == 4)
        #expect(try Npy.read(output).doubles == [1, 3, 5, 3, 7, 11, 4, 8, 12, 4, 10, 16])
    }

    @Test func bytesAreScaledEverywhere() throws {
        let path = folder.path("bytes.npy")
        try Npy.write(NDArray(shape: [1, 2], storage: .uint8([255, 51])), to: path)
        let output = folder.path("scaled.npy")
        _ = try Command.json([
            "evaluate", "--model", model, "--weights", weights, "--inputs", path, "--output", output,
            "--device", "cpu",
        ])
        #expect(zip(try Npy.read(output).doubles, [1.4, 3.8, 6.2]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func aFailedStartLeavesNoTrace() throws {
        let run = folder.path("run")
        let train = [
            "train", "--model", "mlp", "--data", "digits:train:20", "--epochs", "1", "--output", run,
        ]
        try expectFailure(train + ["--test", "digitz"], "digitz")
        let after = try Command.run(train + ["--test", "digits:test:20", "--device", "cpu"])
        #expect(after.status == 0, "\(after.errors)")
        // A folder with somebody's own model is not written to.
        let own = folder.path("own")
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try "input: [1, 8, 8]\nlayers: [flatten, dense: 10] # mine".write(
            toFile: own + "/model.yaml", atomically: true, encoding: .utf8)
        let before = try readBytes(own + "/model.yaml")
        try expectFailure(
            ["train", "--model", own + "/model.yaml", "--data", "digits:train:20", "--output", own],
            "model.yaml")
        #expect(try readBytes(own + "/model.yaml") == before)
    }

    @Test func divergenceIsAnErrorAndKeepsTheLastCheckpoint() throws {
        let run = folder.path("diverged")
        try expectFailure(
            [
                "train", "--model", "mlp", "--data", "digits:train:20", "--epochs", "1", "--learning-rate",
                "3e38",
                "--weight-decay", "1e5", "--output", run,
            ], "diverged")
        #expect(FileManager.default.fileExists(atPath: run + "/checkpoints/step-0000000.json"))
        #expect(!FileManager.default.fileExists(atPath: run + "/weights.safetensors"))
    }

    @Test func outputsMayOutnumberClasses() throws {
        let wide = try folder.text("input: [1, 8, 8]\nlayers:\n  - flatten\n  - dense: 12\n", "wide.yaml")
        let result = try Command.run([
            "train", "--model", wide, "--data", "digits:train:20", "--epochs", "1", "--output",
            folder.path("w"),
            "--device", "cpu",
        ])
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test func wrongModel() throws {
        let unknown = try folder.text("input: [2]\nlayers:\n  - dense: 3\n  - dens: 4\n", "u.yaml")
        try expectFailure(evaluate(model: unknown), "u.yaml", "dens", "dense")
        let argument = try folder.text("input: [2]\nlayers:\n  - dense: {units: 3, bais: false}\n", "v.yaml")
        try expectFailure(evaluate(model: argument), "v.yaml", "bais")
        try expectFailure(evaluate(model: folder.path("none.yaml")), "none.yaml")
        let text = try folder.text("input: [2\nlayers", "x.yaml")
        try expectFailure(evaluate(model: text), "x.yaml", "YAML")
    }

    @Test func wrongDevice() throws {
        let result = try Command.run(evaluate() + ["--device", "opencl:7"])
        #expect(result.status != 0 && result.errors.contains("opencl:7"), "\(result.errors)")
        let unknown = try Command.run(evaluate() + ["--device", "tpu"])
        #expect(unknown.status != 0 && unknown.errors.contains("tpu"))
    }

    @Test func noOpenCL() throws {
        let empty = folder.path("no-vendors")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        let environment = ["OCL_ICD_VENDORS": empty]
        let explicit = try Command.run(evaluate() + ["--device", "opencl"], environment: environment)
        #expect(explicit.status != 0 && !explicit.errors.isEmpty, "\(explicit.errors)")
        let automatic = try Command.run(evaluate() + ["--device", "auto"], environment: environment)
        #expect(automatic.status == 0, "\(automatic.errors)")
        #expect(automatic.errors.contains("CPU") && automatic.errors.split(separator: "\n").count == 1)
        let devices = try Command.run(["devices"], environment: environment)
        #expect(devices.status == 0 && devices.output.contains("cpu"))
    }

    @Test func unwritableOutputHarmsNothing() throws {
        // /dev/full accepts every open and refuses every byte, also for root.
        try expectFailure(evaluate() + ["--output", "/dev/full"], "/dev/full")
        // A folder cannot be replaced by a file.
        let taken = folder.path("taken")
        try FileManager.default.createDirectory(atPath: taken + "/inside", withIntermediateDirectories: true)
        try expectFailure(evaluate() + ["--output", taken], "taken")
        #expect(FileManager.default.fileExists(atPath: taken + "/inside"))
        // An earlier file survives a failing run.
        let output = folder.path("logits.npy")
        _ = try Command.json(evaluate() + ["--output", output, "--device", "cpu"])
        let before = try readBytes(output)
        try expectFailure(
            evaluate(labels: folder.labels([9, 9, 9, 9], "bad.npy")) + ["--output", output], "label 9")
        #expect(try readBytes(output) == before)
        // A run folder below a file.
        let file = try folder.text("", "file")
        try expectFailure(
            ["train", "--model", "mlp", "--data", "digits:train:20", "--output", file + "/run"], "file/run")
        try expectFailure(["quickstart", "--output", file + "/run"], "file/run")
    }

    @Test func wrongFlags() throws {
        for flags in [
            ["--batch-size", "0"], ["--precision", "float16"], ["--attack", "pgd"], ["--epsilon", "0.1"],
            ["--loss", "hinge"], ["--no-such-flag"], ["--batch-size", "\(Int.max)"],
        ] {
            let result = try Command.run(evaluate() + flags)
            #expect(result.status != 0 && result.output.isEmpty && !result.errors.isEmpty, "\(flags)")
        }
        let training = [
            "train", "--model", "mlp", "--data", "digits:train:20", "--output", folder.path("never"),
        ]
        for flags in [
            ["--epochs", "0"], ["--epochs", "nan"], ["--epochs", "1e300"], ["--epochs", "0.001"],
            ["--checkpoints", "nan"], ["--checkpoints", "1e30"], ["--checkpoint-every", "1e-300"],
            ["--weight-decay", "nan"], ["--schedule", "step", "--milestones", "nan"],
        ] {
            let result = try Command.run(training + flags + ["--device", "cpu"])
            #expect(result.status != 0 && result.output.isEmpty && !result.errors.isEmpty, "\(flags)")
        }
        let spectrum = ["spectrum"] + evaluate().dropFirst()
        for flags in [
            ["--top", "0"], ["--top", "99"], ["--probes", "0"], ["--lanczos-steps", "0"],
            ["--probes", "\(Int.max)"],
        ] {
            let result = try Command.run(spectrum + flags + ["--device", "cpu"])
            #expect(result.status != 0 && result.output.isEmpty && !result.errors.isEmpty, "\(flags)")
        }
    }

    @Test func contradictions() throws {
        let train = ["train", "--model", "mlp", "--data", "digits", "--output", folder.path("never")]
        let cases: [([String], String)] = [
            (train + ["--schedule", "step"], "--milestones"),
            (train + ["--decay-factor", "0.5"], "--schedule step"),
            (train + ["--nesterov", "--momentum", "0"], "--nesterov"),
            (train + ["--optimizer", "adam", "--nesterov"], "--optimizer sgd"),
            (train + ["--optimizer", "adam", "--momentum", "0.9"], "--optimizer sgd"),
            (evaluate() + ["--attack", "fgsm", "--epsilon", "0.1", "--attack-steps", "3"], "--attack pgd"),
            (["bench", "--compare", "a", "b", "--quick", "--seed", "1"], "--quick, --seed"),
            (["bench", "--compare", "a", "b", "--serve"], "--serve"),
            (["bench", "--serve", "--list"], "--list"),
            (["devices", "--seed", "1"], "--seed"), (["devices", "--threads", "2"], "--measure"),
        ]
        for (arguments, words) in cases {
            let result = try Command.run(arguments)
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
            #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
        }
    }

    @Test func namedModels() throws {
        try expectFailure(
            ["evaluate", "--model", "cnn", "--inputs", inputs, "--labels", labels], "x.npy", "--model cnn",
            "[2]")
        try expectFailure(
            ["evaluate", "--model", "nope", "--inputs", inputs, "--labels", labels], "nope", "resnet20")
        try expectFailure(
            ["train", "--model", "nope", "--data", "digits", "--output", folder.path("never")], "nope",
            "lenet")
    }

    @Test func freshWeightsAreTold() throws {
        let samples = ["--inputs", inputs, "--labels", labels, "--device", "cpu"]
        let fresh = try Command.run(["evaluate", "--model", "mlp", "--seed", "3"] + samples)
        #expect(fresh.status == 0 && fresh.errors.contains("from seed 3"), "\(fresh.errors)")
        let own = try Command.run(["evaluate", "--model", model, "--weights", weights] + samples)
        #expect(own.status == 0 && own.errors.isEmpty, "\(own.errors)")
    }

    @Test func foldersThatCannotBeMade() throws {
        let file = try folder.text("", "file")
        for path in [file + "/s", "/proc/landscape/s"] {
            try expectFailure(
                ["slice"] + evaluate().dropFirst() + ["--output", path], path, "the folder cannot be made")
        }
        try expectFailure(evaluate() + ["--gradient", folder.path("no/g.npy")], "g.npy", "No such file")
    }

    @Test func everyCommandExplainsItself() throws {
        for command in [
            "devices", "train", "evaluate", "ntk kernel", "ntk project", "spectrum measure", "spectrum track",
            "selftest", "slice",
            "quickstart",
        ] {
            let result = try Command.run(command.split(separator: " ").map(String.init) + ["--help"])
            #expect(
                result.status == 0 && result.output.contains("--device") && result.output.count > 600,
                "\(command)")
        }
    }
}
