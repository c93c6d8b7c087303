import Data
import Foundation
import Testing

/// `landscape spectrum`, `spectrum track` and `selftest` as a user runs them.
@Suite(.serialized) struct SpectrumTests {
    private let folder: Scratch

    init() throws { folder = try Scratch() }

    private static let base = [
        "--model", "mlp", "--data", "digits:train:40", "--device", "cpu", "--precision", "float64",
    ]

    private func spectrum(_ arguments: String...) throws -> [String: Any] {
        try Command.json(["spectrum"] + Self.base + arguments)
    }

    private func refused(_ arguments: String...) throws -> String {
        let result = try Command.run(["spectrum"] + Self.base + arguments)
        #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
        return result.errors
    }

    private func numbers(_ object: Any?) -> [Double] { object as? [Double] ?? [] }

    @Test func bothEndsAndIntervals() throws {
        let top = try spectrum("--top", "4"), low = try spectrum("--top", "2", "--which", "SA")
        let both = try spectrum("--top", "5", "--which", "BE", "--block-size", "2")
        let (high, least, ends) = (
            numbers(top["eigenvalues"]), numbers(low["eigenvalues"]), numbers(both["eigenvalues"])
        )
        #expect(high == high.sorted(by: >) && least == least.sorted() && least[0] < 0)
        let scale = high[0]
        for (a, b) in zip(ends, Array(high.prefix(3)) + [least[1], least[0]]) {
            #expect(abs(a - b) < 1e-9 * scale)
        }
        for (value, interval) in zip(high, top["intervals"] as? [[String: Double]] ?? []) {
            #expect(interval["lower"]! <= value && value <= interval["upper"]!)
        }
        let steps = zip(high, high.dropFirst()).map { $0 / $1 }
        // Numbers are read back from JSON: the last bit may differ.
        let ratio = top["largestGapRatio"] as? Double ?? 0
        #expect(abs(ratio / steps.max()! - 1) < 1e-14 && ends.count == 5)
        #expect(steps[(top["largestGapAfter"] as! Int) - 1] == steps.max())
        #expect(top["converged"] as? Bool == true && top["complete"] as? Bool == true)
        #expect(top["which"] as? String == "LA" && top["operator"] as? String == "hessian")
    }

    /// All forms of `--trace` that there are.
    @Test func tracesOfAnAccuracy() throws {
        let plain = try spectrum("--trace", "--probes", "20")
        #expect(plain["traceProducts"] as? Int == 20 && plain["eigenvalues"] == nil)
        for (text, share) in [("±5%", 0.05), ("0.04", 0.04), ("+-6%", 0.06)] {
            let found = try spectrum("--operator", "ggn", "--trace", text)
            let interval = found["traceInterval"] as? [String: Double] ?? [:]
            let reach = (interval["upper"]! - interval["lower"]!) / 2
            #expect(reach <= share * (found["trace"] as? Double ?? 0) && reach > 0)
            #expect(found["traceConverged"] as? Bool == true)
        }
        let exact = try spectrum("--subset", "1.bias", "--trace", "--probes", "300")
        #expect(exact["traceMethod"] as? String == "exact" && exact["traceConverged"] as? Bool == true)
        let some = try spectrum("--trace", "±0.1%", "--trace-products", "40", "--trace-method", "xtrace")
        #expect(some["traceConverged"] as? Bool == false && some["traceMethod"] as? String == "xtrace")
        for text in ["0", "-1%", "2", "much", "100%"] {
            #expect(try refused("--trace=" + text).contains("expected an accuracy such as ±1%"))
        }
        #expect(try refused("--log-det=much").contains("expected a number"))
    }

    @Test(arguments: ["hessian", "ggn", "residual", "fisher", "mc-fisher", "input"])
    func operators(_ name: String) throws {
        let found = try spectrum("--operator", name, "--top", "2", "--trace", "--probes", "4")
        #expect(numbers(found["eigenvalues"]).count == 2 && found["converged"] as? Bool == true)
        #expect(found["dimension"] as? Int == (name == "input" ? 40 * 64 : 26122))
        let values = numbers(found["eigenvalues"])
        if ["ggn", "fisher", "mc-fisher"].contains(name) { #expect(values.allSatisfy { $0 > 0 }) }
    }

    @Test func attacksAndScales() throws {
        let attack = ["--attack", "fgsm", "--epsilon", "0.1"]
        let held = try Command.json(["spectrum"] + Self.base + ["--top", "1"] + attack)
        let clean = try spectrum("--top", "1")
        #expect(held["loss"] as! Double > clean["loss"] as! Double)
        let danskin = try Command.json(
            ["spectrum"] + Self.base + ["--operator", "danskin", "--top", "1", "--tolerance", "1e-2"] + attack
        )
        #expect(numbers(danskin["eigenvalues"])[0] > 0)
        let scaled = try spectrum("--scaled", "--top", "1")
        #expect(numbers(scaled["eigenvalues"])[0] != numbers(clean["eigenvalues"])[0])
        #expect(try refused("--operator", "danskin").contains("needs --attack"))
    }

    /// Layers are subsets, and blocks between them have singular values.
    @Test func subsetsAndLayers() throws {
        let layers =
            try spectrum("--per-layer", "--top", "1", "--probes", "2")["layers"] as? [[String: Any]] ?? []
        #expect(layers.count > 1)
        for layer in layers {
            let name = layer["layer"] as! String
            let own = try spectrum("--subset", name, "--top", "1")
            #expect(own["dimension"] as? Int == layer["parameters"] as? Int)
            let (a, b) = (numbers(own["eigenvalues"])[0], numbers(layer["eigenvalues"])[0])
            #expect(abs(a - b) < 1e-8 * a)
        }
        let names = layers.map { $0["layer"] as! String }
        let cross = try spectrum("--subset", names[0], "--cross", names[1], "--top", "2", "--which", "BE")
        let values = numbers(cross["eigenvalues"])
        #expect(abs(values[0] + values[1]) < 1e-8 * values[0] && values[0] > 0)
        #expect(try refused("--subset", "99").contains("chooses nothing; the tensors are"))
        #expect(try refused("--subset", "(").contains("regular expression"))
        #expect(try refused("--subset", names[0], "--cross", ".*").contains("may not overlap"))
        #expect(try refused("--subset", names[0], "--cross", names[1], "--trace").contains("is zero"))
        #expect(try refused("--cross", names[0]).contains("--cross needs --subset"))
    }

    @Test func densities() throws {
        let found = try spectrum(
            "--top", "3", "--density", "--lanczos-steps", "20", "--probes", "3", "--log-det", "1000")
        let density = found["density"] as? [String: Any] ?? [:]
        #expect(abs(numbers(density["weights"]).reduce(0, +) - 1) < 1e-9)
        #expect(numbers(density["nodes"]).count == 63 && density["bandwidth"] as! Double > 0)
        let interval = found["logDeterminantInterval"] as? [String: Double] ?? [:]
        #expect(interval["lower"]! <= found["logDeterminant"] as! Double)
        // What has no answer is told; the rest is kept.
        let indefinite = try Command.run(["spectrum"] + Self.base + ["--log-det", "--top", "1", "--json"])
        #expect(indefinite.status == 1 && indefinite.errors.contains("needs all eigenvalues above"))
        #expect(try numbers(indefinite.json()["eigenvalues"]).count == 1)
        #expect(try refused("--bandwidth", "0.1").contains("goes with --density"))
    }

    /// What was finished is read; what was not goes on; another run is refused.
    @Test func foldersGoOn() throws {
        let run =
            ["spectrum"] + Self.base + [
                "--top", "2", "--trace", "--density", "--lanczos-steps", "12", "--probes", "2", "--diagonal",
                "--per-layer",
                "--output", folder.path("s"), "--json",
            ]
        let first = try Command.run(run)
        #expect(first.status == 0, "\(first.errors)")
        let files = ["result.json", "density.npy", "eigenvectors.npy", "diagonal.npy", "block-norms.npy"]
        let bytes = try files.map { try readBytes(folder.path("s/" + $0)) }
        for gone in [["result.json"], ["density.json", "density.npy"], ["trace.json", "eigenvalues.json"]] {
            for name in gone { try FileManager.default.removeItem(atPath: folder.path("s/" + name)) }
            let again = try Command.run(run)
            #expect(again.status == 0 && again.output == first.output, "\(gone) \(again.errors)")
            #expect(try files.map { try readBytes(folder.path("s/" + $0)) } == bytes, "\(gone)")
        }
        #expect(FileManager.default.fileExists(atPath: folder.path("s/figures/density.gp")))
        let other = try Command.run(run + ["--seed", "5"])
        #expect(
            other.status != 0 && other.errors.contains("holds another run: seed 0 → 5"), "\(other.errors)")
    }

    /// Killed in the middle of the density, and of the eigenvalues.
    @Test func killedRunsEndWithTheSameBytes() throws {
        func arguments(_ name: String) -> [String] {
            [
                "spectrum", "--model", "cnn", "--data", "digits:train:200", "--device", "cpu", "--top", "3",
                "--density", "--lanczos-steps", "60", "--probes", "4", "--output", folder.path(name),
            ]
        }
        #expect(try Command.run(arguments("whole")).status == 0)
        for delay in [0.4, 0.8, 1.2] {
            let process = Process()
            process.executableURL = Command.binary
            process.arguments = arguments("cut")
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            Thread.sleep(forTimeInterval: delay)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        #expect(try Command.run(arguments("cut")).status == 0)
        for name in ["result.json", "density.json", "eigenvectors.npy", "density.npy"] {
            #expect(
                try readBytes(folder.path("whole/" + name)) == readBytes(folder.path("cut/" + name)),
                "\(name)")
        }
    }

    @Test func plansComputeNothing() throws {
        let plan = try spectrum("--plan", "--top", "3", "--density", "--output", folder.path("p"))
        #expect((plan["parts"] as? [[String: Any]])?.count == 2 && plan["productSeconds"] as! Double > 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path("p")))
    }

    @Test func badInput() throws {
        #expect(try refused("--top", "30000").contains("has only 26122 rows"))
        #expect(try refused("--diagonal").contains("needs --output"))
        #expect(try refused("--memory", "1MB", "--top", "1").contains("--memory"))
        #expect(try refused("--operator", "input", "--per-layer").contains("--per-layer"))
        #expect(try refused("--save-vectors", "/nowhere/v.npy").contains("/nowhere"))
    }

    @Test func tracking() throws {
        let run = folder.path("run")
        let trained = try Command.run([
            "train", "--model", "mlp", "--data", "digits:train:100", "--epochs", "4", "--device", "cpu",
            "--batch-size", "50", "--learning-rate", "0.1", "--momentum", "0.5", "--output", run,
        ])
        #expect(trained.status == 0, "\(trained.errors)")
        let track = ["spectrum", "track", "--run", run, "--device", "cpu", "--top", "2", "--probes", "2"]
        let found = try Command.json(track + ["--output", folder.path("t")])
        let lines = found["checkpoints"] as? [[String: Any]] ?? []
        #expect(lines.compactMap { $0["step"] as? Int } == [0, 2, 4, 6, 8])
        #expect(lines.compactMap { $0["epoch"] as? Double } == [0, 1, 2, 3, 4])
        #expect(lines.allSatisfy { abs(($0["stableCurvature"] as? Double ?? 0) - 30) < 1e-9 })
        // The same as from scratch, checkpoint by checkpoint.
        for line in [lines[0], lines[4]] {
            let alone = try Command.json([
                "spectrum", "--model", run + "/model.yaml", "--weights", line["checkpoint"] as! String,
                "--data",
                "digits:train:100", "--device", "cpu", "--top", "2",
            ])
            for (a, b) in zip(numbers(line["eigenvalues"]), numbers(alone["eigenvalues"])) {
                #expect(abs(a / b - 1) < 1e-4, "\(a) \(b)")
            }
        }
        try FileManager.default.removeItem(atPath: folder.path("t/checkpoints/3.json"))
        let again = try Command.json(track + ["--output", folder.path("t")])
        #expect(NSDictionary(dictionary: again) == NSDictionary(dictionary: found))
        let wrong = try Command.run(["spectrum", "track", "--run", folder.path("nowhere")])
        #expect(wrong.status != 0 && wrong.errors.contains("no checkpoints"))
    }

    @Test func selfTests() throws {
        let found = try Command.json([
            "selftest", "--model", "cnn", "--data", "digits:train:20", "--device", "cpu",
        ])
        #expect(found["passed"] as? Bool == true && (found["checks"] as? [Any])?.count == 8)
        // Weights that overflow in float32.
        let text = "input: [1]\nlayers:\n- dense: {units: 2, bias: false}\n"
        let model = try folder.text(text, "m.yaml")
        let x = folder.path("x.npy"), y = folder.path("y.npy")
        try Npy.write(NDArray(shape: [2, 1], doubles: [1e30, -1e30]), to: x)
        try Npy.write(NDArray(shape: [2], integers: [0, 1]), to: y)
        let bad = try Command.run([
            "selftest", "--model", model, "--inputs", x, "--labels", y, "--device", "cpu",
        ])
        #expect(bad.status != 0 && !(bad.output + bad.errors).isEmpty)
    }
}
