import Analysis
import ArgumentParser
import Backend
import Data
import Foundation
import Graph
import Models
import Report
import Training

extension EmpiricalNTK.Kind: ExpressibleByArgument {}

/// The empirical neural tangent kernel of a network.
struct NTKCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ntk", abstract: "The empirical neural tangent kernel of a network between samples.",
        discussion: """
            Examples:
              landscape ntk --model m.yaml --weights w.safetensors --inputs x.npy --kind trace --output k.npy --json
              landscape ntk --model cnn --data digits:test:100 --kind full

            full is [N·O, M·O] with index n·O + o; trace is [N, M], the sum over outputs of the diagonal blocks. \
            The plan says for every parameter tensor how its part was computed. Networks are in evaluation mode.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "Second samples as .npy: the kernel between --inputs and these.")
    var inputs2: String?

    @Option(help: "full or trace.")
    var kind: EmpiricalNTK.Kind = .trace

    @Option(help: "Memory for per-sample gradients, in MiB.")
    var memory = 1024

    @Option(help: "Write the kernel to this .npy file.")
    var output: String?

    private struct Output: Encodable {
        var samples: Int
        var samples2: Int?
        var outputs: Int
        var kind: String
        var trace: Double?
        var frobenius: Double
        var lambdaMax: Double?
        var lambdaMin: Double?
        var plan: [EmpiricalNTK.LayerReport]
        var device: String
        var precision: String
    }

    func run() throws {
        guard (1...1 << 30).contains(memory) else {
            throw CommandError("--memory is between 1 and 2^30 MiB, found \(memory)")
        }
        let samples = try data.load(needsTargets: false)
        let network = try model.network(samples)
        try samples.check(network, nil, common.precision)
        let others = try inputs2.map {
            try Samples(
                inputs: Npy.read($0).scaledPixels, labels: nil, targets: nil, file: $0, labelFile: nil,
                targetFile: nil)
        }
        try others?.check(network, nil, common.precision)
        let weights = try model.load(network, seed: common.seed)
        let backend = try common.open()
        let arrays = try NetworkArrays(network, weights, on: backend, common.precision)
        func upload(_ samples: Samples) throws -> (array: DeviceArray, count: Int) {
            (try backend.upload(samples.inputs.doubles, common.precision), samples.count)
        }
        let ntk = try EmpiricalNTK.compute(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: upload(samples), x2: others.map(upload), kind: kind,
            batchSize: common.batchSize, memory: memory << 20, on: backend)
        let kernel = ntk.kernel
        if let output {
            try Npy.write(.of(kernel.elements, [kernel.rows, kernel.columns], common.precision), to: output)
        }
        let eigenvalues = others == nil ? try kernel.eigenvalues() : []
        let result = Output(
            samples: samples.count, samples2: others?.count, outputs: ntk.outputs, kind: kind.rawValue,
            trace: kernel.rows == kernel.columns ? kernel.trace : nil, frobenius: kernel.frobenius,
            lambdaMax: eigenvalues.last,
            lambdaMin: eigenvalues.first, plan: ntk.layers, device: backend.device.name,
            precision: common.precision.rawValue)
        if common.json { return try Console.json(result) }
        Console.table(
            [
                ("kernel", "\(kernel.rows) × \(kernel.columns), \(kind.rawValue)"),
                ("Frobenius norm", formatSignificant(result.frobenius, digits: 6)),
            ]
                + (result.trace.map { [("trace", formatSignificant($0, digits: 6))] } ?? [])
                + (result.lambdaMax.map { [("largest eigenvalue", formatSignificant($0, digits: 6))] } ?? [])
                + (result.lambdaMin.map { [("smallest eigenvalue", formatSignificant($0, digits: 6))] } ?? [])
        )
        var table = Report.Table(
            columns: [
                "tensor", "algorithm", Report.Column("MFLOP", alignment: .right),
                Report.Column("time", alignment: .right),
            ])
        table.rows = ntk.layers.map {
            [
                Report.Cell($0.layer), Report.Cell($0.algorithm),
                Report.Cell(formatSignificant(Double($0.flops) / 1e6)),
                Report.Cell(formatSeconds($0.seconds)),
            ]
        }
        print("\n" + table.text)
    }
}
