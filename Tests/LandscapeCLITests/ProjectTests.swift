import Data
import Foundation
import Testing

/// `landscape ntk project` with a user's files.
@Suite(.serialized) struct ProjectTests {
    private let folder: Scratch
    private let model: String, weights: String, inputs: String
    /// Gradients of a linear model of one output are its inputs.
    private let vectors: [[Double]] = [[1, 2, 3, 4], [2, 0, -1, 1]]

    init() throws {
        folder = try Scratch()
        model = try folder.text("input: [4]\nlayers:\n  - dense: {units: 1, bias: false}\n", "m.yaml")
        weights = try folder.weights([("0.weight", [1, 4], [1, 1, 1, 1])], "w.safetensors")
        inputs = try folder.array(vectors.flatMap { $0 }, [2, 4], "x.npy")
    }

    private func arguments(_ flags: [String] = []) -> [String] {
        ["ntk", "project", "--model", model, "--weights", weights, "--inputs", inputs] + flags
    }

    /// Features of signs that are the bits of one stream of random numbers.
    private func features(_ k: Int, seed: UInt64) -> [[Double]] {
        vectors.map { vector in
            (0..<k).map { row in
                var stream = RandomStream(
                    seed: seed, purpose: "projection rademacher", position: UInt64(row) << 40)
                let bits = stream.words(1)[0]
                let sum = vector.indices.reduce(0) {
                    $0 + (bits >> UInt64($1) & 1 == 0 ? vector[$1] : -vector[$1])
                }
                return sum / Double(k).squareRoot()
            }
        }
    }

    @Test(arguments: Setting.all)
    func featuresAndKernel(_ setting: Setting) throws {
        let (output, gram, errors) = (folder.path("g.npy"), folder.path("k.npy"), folder.path("e.npy"))
        let k = 256
        let json = try Command.json(
            arguments(["--dimensions", "\(k)", "--seed", "9", "--output", output, "--gram", gram])
                + ["--errors", errors, "--kind", "full"] + setting.flags)
        let expected = features(k, seed: 9)
        let found = try Npy.read(output)
        #expect(found.shape == [2, 1, k])
        #expect(setting.close(found.doubles, expected.flatMap { $0 }))
        // Every product of rows is k times a sample whose mean is the entry.
        let samples = [(0, 0), (0, 1), (1, 0), (1, 1)].map { i, j in
            (0..<k).map { expected[i][$0] * expected[j][$0] * Double(k) }
        }
        let means = samples.map { $0.reduce(0, +) / Double(k) }
        let deviations = zip(samples, means).map { values, mean in
            let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return (sum / Double(k - 1) / Double(k)).squareRoot()
        }
        let kernel = try Npy.read(gram), bars = try Npy.read(errors)
        #expect(kernel.shape == [2, 2] && bars.shape == [2, 2])
        #expect(setting.close(kernel.doubles, means))
        #expect(setting.close(bars.doubles, deviations))
        #expect(zip(kernel.doubles, [30.0, 3, 3, 6]).allSatisfy { abs($0 - $1) < 6 })
        #expect((number(json["samples"]), number(json["outputs"]), number(json["parameters"])) == (2, 1, 4))
        #expect(number(json["dimensions"]) == 256 && json["distribution"] as? String == "rademacher")
        #expect(number(json["expectedRelativeError"]) == (2.0 / 256).squareRoot())
        let median = (deviations[0] / means[0] + deviations[3] / means[3]) / 2
        #expect(setting.close([number(json["medianRelativeError"])], [median]))
        #expect(abs(number(json["intervalFactor"]) - 1.9693105698498752) < 1e-10)
        #expect(number(json["seconds"]) > 0 && number(json["zeroRows"]) == 0)
    }

    @Test func everyKindAndDistribution() throws {
        let wide = try folder.text("input: [4]\nlayers:\n  - dense: 5\n  - tanh\n  - dense: 3\n", "n.yaml")
        for distribution in ["rademacher", "gaussian", "sparse"] {
            for (kind, edge) in [("full", 6), ("trace", 2), ("mean", 2), ("pseudo", 2)] {
                let output = folder.path("g.npy"), gram = folder.path("k.npy")
                let result = try Command.run([
                    "ntk", "project", "--model", wide, "--inputs", inputs, "--kind", kind,
                    "--distribution", distribution, "--output", output, "--gram", gram, "--device", "cpu",
                    "--dimensions", "64",
                ])
                #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
                #expect(result.output.contains("12.5 %") || result.output.contains("17.7 %"))
                #expect(try Npy.read(output).shape == (kind == "pseudo" ? [2, 64] : [2, 3, 64]))
                #expect(try Npy.read(gram).shape == [edge, edge])
            }
        }
    }

    @Test func batchesAndMemoryChangeNothing() throws {
        func bytes(_ flags: [String]) throws -> [UInt8] {
            let output = folder.path("g.npy")
            let result = try Command.run(
                ["ntk", "project", "--model", "mlp", "--data", "digits:test:30", "--output", output] + flags
                    + ["--device", "cpu", "--dimensions", "64"])
            #expect(result.status == 0, "\(result.errors)")
            return try readBytes(output)
        }
        let whole = try bytes([])
        #expect(try bytes(["--batch-size", "7", "--memory", "200MB"]) == whole)
        #expect(try bytes(["--seed", "1"]) != whole)
    }

    @Test func zerosAreTold() throws {
        let zeros = try folder.array([1, 2, 3, 4, 0, 0, 0, 0], [2, 4], "zeros.npy")
        let result = try Command.run(
            [
                "ntk", "project", "--model", model, "--weights", weights, "--inputs", zeros, "--output",
                folder.path("g.npy"), "--device", "cpu",
            ])
        #expect(result.status == 0 && result.errors.contains("1 of 2 gradients"), "\(result.errors)")
        #expect(result.errors.contains("sample 1, output 0"))
    }

    @Test func badInput() throws {
        let output = folder.path("g.npy"), earlier = [UInt8]("earlier".utf8)
        try writeAtomically(earlier, to: output)
        let outputs = ["--output", output]
        let cases: [([String], [String])] = [
            (arguments(outputs + ["--dimensions", "0"]), ["--dimensions", "found 0"]),
            (arguments(outputs + ["--dimensions", "1"]), ["--dimensions", "found 1"]),
            (arguments(outputs + ["--distribution", "uniform"]), ["--distribution", "uniform"]),
            (
                arguments(outputs + ["--distribution", "sparse", "--dimensions", "100"]),
                ["--dimensions", "16", "found 100"]
            ),
            (arguments(outputs + ["--distribution", "sparse", "--blocks", "1"]), ["--blocks", "found 1"]),
            (
                arguments(outputs + ["--distribution", "sparse"]),
                ["--dimensions 512", "32 rows", "4 parameters"]
            ),
            (arguments(outputs + ["--blocks", "4"]), ["--blocks", "rademacher"]),
            (arguments(outputs + ["--kind", "diagonal"]), ["--kind", "diagonal"]),
            (arguments(outputs + ["--errors", folder.path("e.npy")]), ["--errors needs --gram"]),
            (arguments(["--output", inputs]), ["--output", "--inputs", "same file"]),
            (arguments(outputs + ["--gram", output]), ["--gram", "--output", "same file"]),
            (arguments(outputs + ["--memory", "1MB"]), ["--memory"]),
            (arguments(outputs + ["--memory", "150MiB", "--dimensions", "1000000"]), ["--memory 150MiB"]),
            (arguments(), ["--output"]),
            (arguments(["--output", folder.path("none/g.npy")]), ["none/g.npy", "No such file"]),
            (arguments(outputs + ["--gram", folder.path("none/k.npy")]), ["none/k.npy", "No such file"]),
            (
                [
                    "ntk", "project", "--model", model, "--output", output, "--inputs",
                    try folder.array([1, 2, .nan, 4], [1, 4], "nan.npy"),
                ], ["nan.npy", "sample 0"]
            ),
            (
                [
                    "ntk", "project", "--model", model, "--output", output, "--inputs",
                    try folder.array([], [0, 4], "none.npy"),
                ], ["none.npy", "no samples"]
            ),
            (
                [
                    "ntk", "project", "--model", model, "--output", output, "--inputs",
                    try folder.array([1, 2, 3], [1, 3], "short.npy"),
                ], ["short.npy", "[3]", "[4]"]
            ),
        ]
        for (arguments, words) in cases {
            let result = try Command.run(arguments + ["--device", "cpu"])
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
            for word in words {
                #expect(result.errors.contains(word), "no \"\(word)\" in: \(result.errors)")
            }
            #expect(try readBytes(output) == earlier, "\(arguments)")
        }
        let left = try FileManager.default.contentsOfDirectory(
            atPath: URL(fileURLWithPath: output).deletingLastPathComponent().path)
        #expect(!left.contains { $0.hasSuffix(".tmp") || $0 == "k.npy" || $0 == "e.npy" }, "\(left)")
    }
}
