import Data
import Foundation
import Testing

/// Where the exact cases run: every backend in both formats.
struct Setting: Sendable, CustomTestStringConvertible {
    var device: String
    var precision: String
    var flags: [String] { ["--device", device, "--precision", precision] }
    var isDouble: Bool { precision == "float64" }
    var testDescription: String { "\(device) \(precision)" }

    static let all = ["cpu", "opencl"].flatMap { device in
        ["float32", "float64"].map { Setting(device: device, precision: $0) }
    }

    func close(_ found: [Double], _ expected: [Double], _ float32: Double = 2e-6) -> Bool {
        let scale = expected.map(abs).reduce(1, max)
        let tolerance = (isDouble ? 1e-12 : float32) * scale
        return found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
    }
}

/// Closed forms through the command, with a user's files.
@Suite(.serialized) struct ExactCaseTests {
    @Test(arguments: Setting.all)
    func kernelOfASmallNetwork(_ setting: Setting) throws {
        let folder = try Scratch()
        let model = try folder.text(
            "input: [2]\nlayers:\n  - dense: 3\n  - relu\n  - dense: 2\n", "m.yaml")
        let weights = try folder.weights(
            [
                ("0.weight", [3, 2], [1, -2, 3, 1, -1, 1]), ("0.bias", [3], [0, 1, -1]),
                ("2.weight", [2, 3], [1, 2, -1, 0, -1, 3]), ("2.bias", [2], [0, 0]),
            ], "w.safetensors")
        let inputs = try folder.array([1, 1, 2, -1, -1, 1], [3, 2], "x.npy")
        let common = ["ntk", "--model", model, "--weights", weights, "--inputs", inputs] + setting.flags
        let full: [Double] = [
            38, -6, 39, -4, 1, 0, -6, 29, -4, 33, 0, 1, 39, -4, 83, -12, 1, 0, -4, 33, -12, 59, 0, 1, 1, 0, 1,
            0,
            5, -9, 0, 1, 0, 1, -9, 29,
        ]
        let output = folder.path("k.npy")
        let json = try Command.json(common + ["--kind", "full", "--output", output])
        #expect(try Npy.read(output).doubles == full)
        #expect(try Npy.read(output).shape == [6, 6])
        #expect(
            number(json["samples"]) == 3 && number(json["outputs"]) == 2 && json["kind"] as? String == "full")
        #expect(number(json["trace"]) == 243)
        #expect(setting.close([number(json["frobenius"])], [full.reduce(0) { $0 + $1 * $1 }.squareRoot()]))
        #expect(setting.close([number(json["lambdaMax"])], [111.7206560365282], 1e-5))
        #expect(setting.close([number(json["lambdaMin"])], [1.9629625574557], 1e-5))
        let plan = json["plan"] as? [[String: Any]] ?? []
        #expect(plan.map { $0["layer"] as? String } == ["0.weight", "0.bias", "2.weight", "2.bias"])
        #expect(
            plan.allSatisfy {
                $0["algorithm"] is String && number($0["flops"]) > 0 && number($0["seconds"]) >= 0
            })

        let trace: [Double] = [67, 72, 2, 72, 142, 2, 2, 2, 34]
        let output2 = folder.path("k2.npy")
        _ = try Command.json(common + ["--kind", "trace", "--output", output2, "--batch-size", "2"])
        #expect(try Npy.read(output2).doubles == trace)

        // A cross kernel is a block of the square one.
        let others = try folder.array([2, -1, -1, 1], [2, 2], "z.npy")
        let output3 = folder.path("k3.npy")
        let cross = try Command.json(common + ["--kind", "trace", "--inputs2", others, "--output", output3])
        #expect(try Npy.read(output3).doubles == [72, 2, 142, 2, 2, 34])
        #expect(cross["lambdaMax"] == nil)
    }

    @Test(arguments: Setting.all)
    func curvatureOfAProductOfWeights(_ setting: Setting) throws {
        let folder = try Scratch()
        let model = try folder.text(
            "input: [2]\nlayers:\n  - dense: {units: 1, bias: false}\n  - dense: {units: 1, bias: false}\n",
            "m.yaml")
        let weights = try folder.weights(
            [("0.weight", [1, 2], [1, -1]), ("1.weight", [1, 1], [2])], "w.safetensors")
        let arrays = [
            "--model", model, "--weights", weights,
            "--inputs", try folder.array([1, 0, 0, 1, 1, 1], [3, 2], "x.npy"),
            "--targets", try folder.array([1, 2, 0], [3, 1], "t.npy"), "--loss", "mse",
        ]
        let gradient = folder.path("g.npy")
        let evaluation = try Command.json(["evaluate"] + arrays + setting.flags + ["--gradient", gradient])
        #expect(setting.close([number(evaluation["loss"])], [17.0 / 6]))
        #expect(evaluation["accuracy"] == nil)
        // ∂L/∂a = b·Σ r x/3 and ∂L/∂b = Σ r (a·x)/3 with residuals r = (1, −4, 0).
        let expected = [2.0 / 3, -8.0 / 3, 5.0 / 3]
        #expect(setting.close(try Npy.read(gradient).doubles, expected))
        #expect(
            setting.close(
                [number(evaluation["gradientNorm"])], [expected.reduce(0) { $0 + $1 * $1 }.squareRoot()]))

        let hessian = try Command.json(["spectrum"] + arrays + setting.flags + ["--top", "3"])
        #expect(
            setting.close(
                numbers(hessian["eigenvalues"]), [4.24581252859112, 2.95756379699551, -1.20337632558663], 5e-6
            ))
        #expect(numbers(hessian["residuals"]).allSatisfy { $0 < (setting.isDouble ? 1e-11 : 1e-4) })
        let ggn = try Command.json(
            ["spectrum"] + arrays + setting.flags + ["--operator", "ggn", "--top", "3"])
        #expect(setting.close(numbers(ggn["eigenvalues"]), [4, 2, 0], 5e-6))
    }

    @Test(arguments: Setting.all)
    func softmaxAtZero(_ setting: Setting) throws {
        let folder = try Scratch()
        let model = try folder.text("input: [2]\nlayers:\n  - dense: {units: 3, bias: false}\n", "m.yaml")
        let common = [
            "spectrum", "--model", model,
            "--weights", try folder.weights([("0.weight", [3, 2], [0, 0, 0, 0, 0, 0])], "w.safetensors"),
            "--inputs", try folder.array([1, 0, 1, 1, 0, 2, 2, 1], [4, 2], "x.npy"),
            "--labels", try folder.labels([0, 1, 2, 0], "y.npy"), "--loss", "cross-entropy",
        ]
        for batch in ["64", "3"] {
            let json = try Command.json(
                common + setting.flags + [
                    "--batch-size", batch, "--top", "6", "--trace", "--probes", "40", "--density",
                    "--lanczos-steps", "20",
                ])
            #expect(
                setting.close(numbers(json["eigenvalues"]), [0.75, 0.75, 0.25, 0.25, 0, 0], 5e-6),
                "batch \(batch)")
            let error = number(json["traceStandardError"])
            #expect(abs(number(json["trace"]) - 2) < 5 * error && error > 0)
            let density = json["density"] as? [String: Any]
            let (nodes, weights) = (numbers(density?["nodes"]), numbers(density?["weights"]))
            // Three distinct eigenvalues: every probe stops at three points.
            #expect(nodes.count == 120 && weights.count == 120)
            #expect(abs(weights.reduce(0, +) - 1) < 1e-6)
            #expect(nodes.allSatisfy { node in [0, 0.25, 0.75].contains { abs($0 - node) < 1e-5 } })
        }
    }

    @Test(arguments: Setting.all)
    func quadraticPlaneAndFilterNormalization(_ setting: Setting) throws {
        let folder = try Scratch()
        let model = try folder.text("input: [2]\nlayers:\n  - dense: {units: 2, bias: false}\n", "m.yaml")
        let weights = try folder.weights([("0.weight", [2, 2], [3, 4, 0, 0])], "w.safetensors")
        let output = folder.path("slice")
        let before = try readBytes(weights)
        let json = try Command.json(
            [
                "slice", "--model", model, "--weights", weights, "--loss", "mse",
                "--inputs", try folder.array([1, 0, 0, 1], [2, 2], "x.npy"),
                "--targets", try folder.array([1, 2, 3, 4], [2, 2], "t.npy"), "--dimensions", "2", "--points",
                "5",
                "--radius", "2", "--normalization", "filter", "--direction",
                try folder.array([1, 0, 0, 2], [4], "d1.npy"),
                "--direction", try folder.array([0, 1, 1, 0], [4], "d2.npy"), "--output", output,
            ] + setting.flags)
        // The second row of the weights is zero, so the second row of each direction is too.
        #expect(setting.close(try Npy.read("\(output)/directions.npy").doubles, [5, 0, 0, 0, 0, 5, 0, 0]))
        let alphas = numbers(json["alphas"]), betas = numbers(json["betas"])
        #expect(alphas == [-2, -1, 0, 1, 2] && betas == alphas)
        // f(x) = W x: with unit inputs the residuals are the elements of Wᵀ − T.
        let rows = (json["loss"] as? [Any] ?? []).map { numbers($0) }
        for (j, beta) in betas.enumerated() {
            for (i, alpha) in alphas.enumerated() {
                let (a, b) = (3 + 5 * alpha, 4 + 5 * beta)
                let expected = ((a - 1) * (a - 1) + 4 + (b - 3) * (b - 3) + 16) / 4
                #expect(setting.close([rows[j][i]], [expected]), "α \(alpha), β \(beta)")
            }
        }
        #expect(try readBytes(weights) == before)
        #expect(FileManager.default.fileExists(atPath: "\(output)/slice.gp"))
    }
}
