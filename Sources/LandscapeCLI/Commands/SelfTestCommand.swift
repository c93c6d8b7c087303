import Analysis
import ArgumentParser
import Backend
import Data
import Models
import Planner
import Report
import Training

/// Cross-checks of curvature on the user's own model.
struct SelfTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract:
            "Checks curvature on your own model and samples: every number against another way to compute it.",
        discussion: """
            Examples:
              landscape selftest --model m.yaml --weights w.safetensors --inputs x.npy --labels y.npy
              landscape selftest --model cnn --data digits:train --device opencl:0 --json

            Hessian products against differences of the gradient in float64, their precision on the device, symmetry, \
            repeatability, independence of batches, Hessian = Gauss-Newton + residual, moments of a Lanczos factorisation, \
            and the duality of Gauss-Newton matrix and tangent kernel. At most --samples samples are used. Ends with status \
            1 if a check fails, and says what that means.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "cross-entropy or mse.")
    var loss: Loss = .crossEntropy

    @Option(name: .customLong("samples"), help: "Samples to check with, the first ones.")
    var most = 256

    private struct Output: Encodable {
        struct Check: Encodable {
            var name: String
            var comparison: String
            var difference: Double
            var bound: Double
            var passed: Bool
            var meaning: String?
            var note: String?
        }
        var checks: [Check]
        var passed: Bool
        var samples: Int
        var parameters: Int
        var device: String
        var precision: String
    }

    func validate() throws {
        if most < 1 { throw ValidationError("--samples is at least 1, found \(most)") }
    }

    func run() throws {
        let samples = try data.load(needsTargets: true).prefix(most)
        let network = try model.network(samples)
        try samples.check(network, loss, common.precision)
        let weights = try model.loadOrStart(network, seed: common.seed)
        let backend = try common.open()
        let wide: any Backend = backend.device.hasFloat64 ? backend : CPUBackend(usesWinograd: false)
        if !backend.device.hasFloat64 {
            Console.note(
                "\(backend.device.name) has no float64 arithmetic: references are computed by the CPU")
        }
        func risk(
            _ samples: Samples, _ loss: Loss, _ precision: Precision, _ batchSize: Int
        ) throws -> Risk {
            try Study(
                network, weights, samples, loss, batchSize: batchSize,
                on: precision == .float64 ? wide : backend, precision
            ).risk()
        }
        let few = samples.prefix(max(2, 64 / network.outputs))
        let test = try CurvatureSelfTest(
            precision: common.precision, batchSize: min(common.batchSize, samples.count), seed: common.seed,
            risk: { try risk(samples, loss, $0, $1) }, squared: { try risk(few, .mse, $0, $1) })
        let checks = try test.run { Console.progress($0) }
        Console.clear()
        let failed = checks.filter { !$0.hasPassed }
        let output = Output(
            checks: checks.map {
                Output.Check(
                    name: $0.name, comparison: $0.comparison, difference: $0.difference, bound: $0.bound,
                    passed: $0.hasPassed, meaning: $0.hasPassed ? nil : $0.failure, note: $0.note)
            }, passed: failed.isEmpty, samples: samples.count, parameters: network.layout.count,
            device: backend.device.name, precision: common.precision.rawValue)
        if common.json { try Console.json(output) } else { show(checks, output) }
        if !failed.isEmpty { throw ExitCode(1) }
    }

    private func show(_ checks: [SelfCheck], _ output: Output) {
        var table = Report.Table(columns: [
            "check", Report.Column("difference", alignment: .right),
            Report.Column("bound", alignment: .right), "",
        ])
        table.rows = checks.map {
            [
                Report.Cell($0.name), Report.Cell(formatSignificant($0.difference, digits: 2)),
                Report.Cell(formatSignificant($0.bound, digits: 2)),
                Report.Cell($0.hasPassed ? "passed" : "FAILED"),
            ]
        }
        print(table.text)
        for check in checks where !check.hasPassed {
            print("\n\(check.name): \(check.comparison).\n\(check.failure)")
        }
        for check in checks {
            if let note = check.note { print("\n\(check.name): \(note)") }
        }
        print(
            "\n\(output.samples) samples, \(output.parameters) parameters, \(output.precision) on \(output.device): "
                + (output.passed ? "all checks passed" : "\(checks.filter { !$0.hasPassed }.count) failed"))
    }
}
