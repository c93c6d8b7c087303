import Data
import Foundation
import Testing

/// `landscape ntk regress` from end to end: a linear model whose answers are known, folders, and bad input.
@Suite(.serialized) struct RegressTests {
    private let folder: Scratch
    private let model: String, weights: String, inputs: String, targets: String

    /// `f(x) = w·x` with w = (1, 2); samples (1, 0), (0, 2), targets 3 and 0: K = diag(1, 4), Y − f₀ = (2, −4).
    init() throws {
        folder = try Scratch()
        model = try folder.text("input: [2]\nlayers:\n  - dense: {units: 1, bias: false}\n", "m.yaml")
        weights = try folder.weights([("0.weight", [1, 2], [1, 2])], "w.safetensors")
        inputs = try folder.array([1, 0, 0, 2], [2, 2], "x.npy")
        targets = try folder.array([3, 0], [2, 1], "t.npy")
    }

    private var base: [String] {
        ["ntk", "regress", "--model", model, "--weights", weights, "--inputs", inputs, "--targets", targets]
    }

    private func held() throws -> [String] {
        [
            "--test-inputs", try folder.array([1, 1], [1, 2], "tx.npy"), "--test-targets",
            try folder.array([2], [1, 1], "tt.npy"),
        ]
    }

    private static let targets64: [[String]] = [
        ["--device", "cpu", "--precision", "float64"], ["--device", "opencl:0", "--precision", "float64"],
    ]

    @Test(arguments: targets64)
    func knownAnswers(_ device: [String]) throws {
        let output = folder.path("out")
        let arguments =
            try base + held() + device + ["--ridge", "1", "--times", "0,1,inf", "--output", output]
        let json = try Command.json(arguments)
        // α = (2/2, −4/5); f = f₀ + K·α = (1 + 1, 4 − 3.2); held out: 3 + 1·1 + 2·(−0.8).
        let train = try Npy.read(output + "/train-predictions.npy")
        #expect(train.shape == [2, 1] && close(train.doubles, [2, 0.8]))
        #expect(close(try Npy.read(output + "/predictions.npy").doubles, [2.4]))
        #expect(close(try Npy.read(output + "/coefficients.npy").doubles, [1, -0.8]))
        #expect(close([number(json["trainLoss"])], [(1 + 0.64) / 4]))
        #expect(close([number(json["testLoss"])], [0.08]))
        #expect(close([number(json["maxLearningRate"])], [1]) && close([number(json["lambdaMax"])], [4]))
        #expect(close([number(json["effectiveDimension"])], [0.5 + 0.8]))
        #expect(close([number(json["conditionNumber"])], [2.5]))
        // 2ε + 4√2·ε of the largest row sum, 4.
        let epsilon = Double.ulpOfOne, bound = (2 + 4 * 2.0.squareRoot()) * epsilon * 4
        #expect(close([number(json["roundingBound"])], [bound], 1e-20))
        // Flow: modes decay as Foundation.exp(−λt/2).
        let flow = try Npy.read(output + "/flow.npy")
        let slow: Double = 1 - exp(-0.5), fast: Double = 1 - exp(-2.0)
        #expect(flow.shape == [3, 1, 1] && close(flow.doubles, [3, 3 + 2 * slow - 2 * fast, 3]))
        #expect(try Npy.read(output + "/times.npy").doubles == [0, 1, .infinity])
        #expect(close(try Npy.read(output + "/eigenvalues.npy").doubles, [4, 1]))
        #expect(close(try Npy.read(output + "/modes.npy").doubles.map(abs), [4, 2]))
        #expect(close(try Npy.read(output + "/mode-losses.npy").doubles[..<2].map { $0 }, [4, 1]))
        let curve = json["curve"] as? [String: Any]
        let middle: Double = 4 * exp(-1.0) + 16 * exp(-4.0)
        let expected: [Double] = [5, middle / 4, 0]
        #expect(close(numbers(curve?["trainLoss"]), expected))
        let kept = try JSONSerialization.jsonObject(
            with: Foundation.Data(try readBytes(output + "/regression.json")))
        #expect((kept as? NSDictionary) == (json as NSDictionary))
        for name in ["flow.svg", "modes.svg", "flow.gp", "modes.dat"] {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(name)"), "\(name)")
        }
        // A second run without flow leaves none of the first; files of others stay.
        _ = try folder.text("mine", "out/notes.txt")
        _ = try Command.json(try base + held() + device + ["--no-spectrum", "--output", output])
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: output))
        #expect(
            names == [
                "notes.txt", "regression.json", "train-predictions.npy", "predictions.npy",
                "coefficients.npy",
            ], "\(names)")
    }

    @Test(arguments: targets64)
    func descentZeroStartAndLabels(_ device: [String]) throws {
        // Two steps at 0.1: decay (1 − 0.1·λ/2)², so f = Y·(1 − decay) from zero.
        let json = try Command.json(
            base + device + ["--zero-start", "--learning-rate", "0.1", "--times", "2"])
        let left = 3 * 0.95 * 0.95
        #expect(close(numbers((json["curve"] as? [String: Any])?["trainLoss"]), [left * left / 4]))
        #expect(json["trainAccuracy"] == nil && json["testLoss"] == nil)
        let labelled = try Command.json(
            [
                "ntk", "regress", "--model", "mlp", "--data", "digits:train:40", "--test-data",
                "digits:test:20", "--seed", "1",
            ] + device)
        #expect(number(labelled["trainAccuracy"]) == 1 && number(labelled["testAccuracy"]) > 0.4)
        #expect(number(labelled["trainLoss"]) < 1e-20)
    }

    /// Every way to the same predictions: solvers, kinds of one output, kernels from files.
    @Test func everyWayToTheSame() throws {
        var results: [[Double]] = []
        let kernel = folder.path("k.npy"), cross = folder.path("c.npy")
        let common = ["--device", "cpu", "--precision", "float64"]
        let test = try held()
        for arguments in [
            ["--output", kernel, "--inputs", inputs],
            ["--output", cross, "--inputs", test[1], "--inputs2", inputs],
        ] {
            _ = try Command.json(
                ["ntk", "--kind", "diagonal", "--model", model, "--weights", weights] + arguments + common)
        }
        let ways: [[String]] = [
            [], ["--solver", "cg"], ["--solver", "cg", "--preconditioner-rank", "0"], ["--kind", "full"],
            ["--kind", "diagonal", "--solver", "cg"], ["--kind", "pseudo", "--no-spectrum"],
            ["--kernel", kernel], ["--kernel", kernel, "--test-kernel", cross, "--solver", "cg"],
            ["--kind", "trace"],
        ]
        for (index, way) in ways.enumerated() {
            let output = folder.path("w\(index)")
            let json = try Command.json(
                base + test + common + ["--relative-ridge", "0.4", "--output", output] + way)
            #expect(close([number(json["ridge"])], [1]), "\(way)")
            #expect(close([number(json["maxLearningRate"])], [1]), "\(way)")
            results.append(try Npy.read(output + "/predictions.npy").doubles)
        }
        for (way, result) in zip(ways, results) {
            #expect(close(result, [2.4], 1e-8), "\(way): \(result)")
        }
    }

    /// A kernel whose bytes are not those that were written is found.
    @Test func damagedKernels() throws {
        let kernel = folder.path("d.npy")
        _ = try Command.json(
            ["ntk", "--kind", "mean", "--output", kernel, "--device", "cpu"]
                + Array(base.dropFirst(2).prefix(6)))
        var bytes = try #require(FileManager.default.contents(atPath: kernel))
        bytes[bytes.count - 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: kernel))
        let result = try Command.run(base + ["--device", "cpu", "--kernel", kernel])
        #expect(result.status != 0 && result.errors.contains("damaged"), "\(result.errors)")
    }

    @Test func badInput() throws {
        let square = try folder.array([1, 0, 0, 4], [2, 2], "k.npy")
        let cases: [([String], [String])] = [
            (["--ridge=-1"], ["--ridge", "-1"]), (["--ridge", "nan"], ["--ridge", "nan"]),
            (["--ridge", "1", "--relative-ridge", "1"], ["--relative-ridge"]),
            (["--times", "1,x"], ["--times", "1,x"]), (["--times=-1"], ["--times", "-1"]),
            (["--times", "1.5", "--learning-rate", "0.1"], ["--times", "1.5"]),
            (["--learning-rate", "0"], ["--learning-rate"]), (["--tolerance", "2"], ["--tolerance"]),
            (["--preconditioner-rank=-1"], ["--preconditioner-rank", "-1"]),
            (["--solver", "cg", "--times", "1"], ["--solver cg"]),
            (["--times", "1", "--no-spectrum"], ["--no-spectrum"]),
            (["--memory", "1MiB"], ["--memory", "needed"]),
            (["--kernel", folder.path("none.npy")], ["none.npy"]),
            (
                ["--kernel", try folder.array([1, 2, 3], [3, 1], "thin.npy")],
                ["thin.npy", "[3, 1]", "[2, 2]"]
            ),
            (
                ["--kernel", try folder.array([1, .nan, 0, 4], [2, 2], "nan.npy")],
                ["nan.npy", "row 0, column 1"]
            ),
            (
                ["--kernel", try folder.array([1, 0.5, 0, 4], [2, 2], "skew.npy")], ["skew.npy", "symmetric"]
            ),
            (["--kernel", try folder.array([1, 2, 2, 1], [2, 2], "ind.npy")], ["ind.npy", "indefinite"]),
            (
                ["--kernel", folder.path("ind.npy"), "--solver", "cg", "--preconditioner-rank", "0"],
                ["ind.npy", "indefinite"]
            ),
            (["--kernel", square, "--test-kernel", square], ["--test-kernel", "held-out"]),
            (["--test-labels", inputs], ["--test-labels", "--test-inputs"]),
            (["--test-inputs", try folder.array([1, 1, 1], [1, 3], "wide.npy")], ["wide.npy", "[3]"]),
            (["--test-data", "digits:test:5"], ["digits:test:5"]),
            (["--kernel", try folder.labels([1, 2], "int.npy")], ["int.npy", "[2]"]),
            (["--output", model], ["m.yaml"]),
        ]
        for (arguments, words) in cases {
            let before = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path(".")))
            let output = arguments.contains("--output") ? [] : ["--output", folder.path("never")]
            let result = try Command.run(base + ["--device", "cpu"] + output + arguments)
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
            for word in words { #expect(result.errors.contains(word), "\(arguments): \(result.errors)") }
            let lines = result.errors.split(separator: "\n").filter {
                !$0.hasPrefix("Usage") && !$0.hasPrefix("  See") && !$0.hasPrefix("Help:")
            }
            #expect(lines.count <= 2, "\(result.errors)")
            let after = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path(".")))
            #expect(before == after, "\(arguments) left \(after.subtracting(before))")
        }
    }

    @Test func kernelsOfOtherSamples() throws {
        let other = try folder.array([1, 0, 0, 3], [2, 2], "other.npy")
        let kernel = folder.path("k.npy")
        _ = try Command.json(
            [
                "ntk", "--kind", "mean", "--model", model, "--weights", weights, "--inputs", other,
                "--output",
                kernel, "--device", "cpu",
            ])
        let result = try Command.run(base + ["--device", "cpu", "--kernel", kernel])
        #expect(
            result.status != 0
                && result.errors.contains("k.npy: its manifest tells another kernel: the samples"))
        // Without all of its tiles it is refused, too.
        let manifest = try String(contentsOfFile: kernel + ".manifest", encoding: .utf8)
        let first = String(manifest.split(separator: "\n")[0])
        _ = try folder.text(first + "\n", "k.npy.manifest")
        let torn = try Command.run(base + ["--device", "cpu", "--kernel", kernel])
        #expect(torn.status != 0 && torn.errors.contains("not all tiles"), "\(torn.errors)")
    }

    @Test func itExplainsItself() throws {
        let result = try Command.run(["ntk", "regress", "--help"])
        #expect(result.status == 0 && result.output.contains("--ridge") && result.output.contains("--device"))
    }

    @Test func duplicatesAreTold() throws {
        let twice = try folder.array([1, 0, 1, 0], [2, 2], "twice.npy")
        let result = try Command.run(
            [
                "ntk", "regress", "--model", model, "--weights", weights, "--inputs", twice, "--targets",
                targets, "--device", "cpu",
            ])
        #expect(result.status == 0 && result.output.contains("minimum norm, rank 1 of 2"), "\(result.output)")
    }

    private func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
    }
}
