import Data
import Foundation
import Testing

/// Whole runs through the command: training, resuming, the quickstart.
@Suite(.serialized) struct RunTests {
    private static let training = [
        "train", "--model", "mlp", "--data", "digits:train:200", "--test", "digits:test:50", "--epochs", "4",
        "--batch-size", "48", "--attack", "pgd", "--epsilon", "0.05", "--attack-steps", "2", "--schedule",
        "cosine",
        "--learning-rate", "0.05", "--checkpoint-every", "0.4", "--json",
    ]

    @Test(arguments: ["cpu", "opencl"])
    func trainingGoesOnBitForBit(_ device: String) throws {
        let folder = try Scratch()
        let (whole, broken) = (folder.path("whole"), folder.path("broken"))
        let first = try Command.run(Self.training + ["--device", device, "--output", whole])
        #expect(first.status == 0, "\(first.errors)")
        #expect(number(try first.json()["testAccuracy"]) > 0.3)
        // What a kill in the second epoch leaves behind: earlier checkpoints, a metrics file that knows more.
        try FileManager.default.copyItem(atPath: whole, toPath: broken)
        let names = try FileManager.default.contentsOfDirectory(atPath: broken + "/checkpoints")
        for name in names where name.hasPrefix("step-") {
            let step = Int(name.dropFirst(5).prefix(7)) ?? 0
            if step > 6 { try FileManager.default.removeItem(atPath: "\(broken)/checkpoints/\(name)") }
        }
        try FileManager.default.removeItem(atPath: broken + "/weights.safetensors")
        let second = try Command.run(Self.training + ["--device", device, "--output", broken])
        #expect(second.status == 0 && second.errors.contains("going on from step 6"), "\(second.errors)")
        for file in ["weights.safetensors", "metrics.jsonl"] {
            #expect(try readBytes("\(whole)/\(file)") == readBytes("\(broken)/\(file)"), "\(file)")
        }
        // A finished folder is not trained again, and another configuration is refused.
        let again = try Command.run(Self.training + ["--device", device, "--output", whole])
        #expect(again.status == 0)
        let other = try Command.run(Self.training + ["--device", device, "--output", whole, "--seed", "1"])
        #expect(
            other.status != 0 && other.errors.contains("holds another run: training.seed 0 → 1;"),
            "\(other.errors)")
        // The weights and the model of the folder serve the other commands.
        let evaluation = try Command.json([
            "evaluate", "--model", "\(whole)/model.yaml", "--weights", "\(whole)/weights.safetensors",
            "--data",
            "digits:test:50", "--device", device,
        ])
        #expect(abs(number(evaluation["accuracy"]) - number(try first.json()["testAccuracy"])) < 1e-9)
    }

    /// A damaged checkpoint is named, and the one before it serves.
    @Test func trainingGoesOnBeforeADamagedCheckpoint() throws {
        let folder = try Scratch()
        let run = folder.path("run")
        let training = [
            "train", "--model", "mlp", "--data", "digits:train:64", "--epochs", "3", "--device", "cpu",
            "--output", run,
        ]
        #expect(try Command.run(training).status == 0)
        let (weights, last) = (
            try readBytes(run + "/weights.safetensors"), run + "/checkpoints/step-0000003.safetensors"
        )
        try writeAtomically(Array(try readBytes(last).prefix(40)), to: last)
        let again = try Command.run(training)
        #expect(again.status == 0 && again.errors.contains("step-0000003.safetensors"), "\(again.errors)")
        #expect(again.errors.contains("going on from step 2"), "\(again.errors)")
        #expect(try readBytes(run + "/weights.safetensors") == weights)
    }

    /// `LANDSCAPE_VALIDATE=1` replays every step on the reference interpreter.
    @Test(arguments: Setting.all)
    func realRunsPassValidation(_ setting: Setting) throws {
        let environment = ["LANDSCAPE_VALIDATE": "1"]
        let folder = try Scratch()
        let training =
            [
                "train", "--model", "cnn", "--data", "digits:train:20", "--epochs", "1", "--batch-size", "8",
                "--attack", "fgsm", "--epsilon", "0.1", "--output", folder.path("run"),
            ] + setting.flags
        let trained = try Command.run(training, environment: environment)
        #expect(trained.status == 0, "\(trained.errors)")
        let spectrum =
            ["spectrum", "--model", "cnn", "--data", "digits:train:10", "--top", "1", "--tolerance", "0.1"]
            + setting.flags
        let measured = try Command.run(spectrum, environment: environment)
        #expect(measured.status == 0, "\(measured.errors)")
    }

    @Test func quickstartWritesAReport() throws {
        let folder = try Scratch()
        let output = folder.path("run")
        let arguments = ["quickstart", "--epochs", "0.4", "--device", "cpu", "--output", output, "--json"]
        let first = try Command.run(arguments)
        #expect(first.status == 0, "\(first.errors)")
        let report = try String(contentsOfFile: output + "/report.html", encoding: .utf8)
        for text in ["<table", "<svg", "Hessian trace", "neural tangent kernel", "Alpaydin"] {
            #expect(report.contains(text), "\(text)")
        }
        #expect(report.components(separatedBy: "<figure").count - 1 == 5)
        #expect(!report.contains("src=\"http") && !report.contains("href=\"http"))
        for name in ["training", "kernel", "density", "lines", "planes"] {
            for suffix in ["svg", "gp", "dat"] {
                #expect(
                    FileManager.default.fileExists(atPath: "\(output)/figures/\(name).\(suffix)"), "\(name)")
            }
        }
        // A second start finds everything done and writes the same report; a lost stage is computed again.
        try FileManager.default.removeItem(atPath: output + "/adversarial/slices.json")
        try FileManager.default.removeItem(atPath: output + "/report.html")
        let second = try Command.run(arguments)
        #expect(second.status == 0, "\(second.errors)")
        #expect(try String(contentsOfFile: output + "/report.html", encoding: .utf8) == report)
    }
}
