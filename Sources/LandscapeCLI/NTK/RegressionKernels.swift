import Analysis
import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import Training

/// Where the kernels of a regression come from: finished files, or the network itself.
struct RegressionKernels {
    let network: Network
    let targets: KernelTargets
    let file: MappedMatrix?, testFile: MappedMatrix?
    private let options: RegressCommand
    private let weights: Weights
    private let samples: Samples, held: Samples?

    /// Opens and checks the files. A manifest beside one must tell the same samples, weights, model and kind.
    init(
        _ options: RegressCommand, _ network: Network, _ weights: Weights, _ samples: Samples,
        _ held: Samples?
    ) throws {
        (self.options, self.network, self.weights) = (options, network, weights)
        (self.samples, self.held) = (samples, held)
        let known = try options.kernel.flatMap { try Self.manifest($0, "--kernel") }
        let kind = options.kind ?? known?.kind ?? .mean
        targets = KernelTargets(kind, samples: samples.count, outputs: network.outputs)
        file = try options.kernel.map { try MappedMatrix($0) }
        testFile = try options.testKernel.map { try MappedMatrix($0) }
        if let known { try check(known, "--kernel", samples, nil) }
        if let path = options.testKernel, let known = try Self.manifest(path, "--test-kernel") {
            try check(known, "--test-kernel", held, samples)
        }
        try checkShape(file, "--kernel", samples.count)
        if let held { try checkShape(testFile, "--test-kernel", held.count) }
    }

    /// Distance from 1 to the next number where the kernel's entries are concerned.
    var epsilon: Double {
        (file.map { $0.isWide ? Precision.float64 : .float32 } ?? options.common.precision).epsilon
    }

    private static func manifest(_ path: String, _ flag: String) throws -> KernelManifest? {
        guard FileManager.default.fileExists(atPath: KernelFile.manifestPath(path)) else { return nil }
        guard try KernelFile.isComplete(path) else {
            throw CommandError(
                "\(flag) \(path): not all tiles are there; run the command that makes it once more")
        }
        return try KernelFile.manifest(path)
    }

    private func check(
        _ known: KernelManifest, _ flag: String, _ rows: Samples?, _ columns: Samples?
    ) throws {
        var differences: [String] = []
        if known.kind != targets.kind {
            differences.append("the kind (\(known.kind.rawValue), expected \(targets.kind.rawValue))")
        }
        if known.part != nil {
            differences.append("the part of the kernel (\(known.part ?? ""), expected all)")
        }
        func digest(_ samples: Samples?) -> String? { samples.map { Checksum.digest($0.inputs.doubles) } }
        if known.inputs != digest(rows) { differences.append("the samples") }
        if known.inputs2 != digest(columns) { differences.append("the second samples") }
        if known.weights != Checksum.digest(weights.parameters + weights.state) {
            differences.append("the weights")
        }
        if known.model != Checksum.digest(ModelFile.text(network).utf8.map(Double.init)) {
            differences.append("the model")
        }
        guard differences.isEmpty else {
            let path = flag == "--kernel" ? options.kernel : options.testKernel
            throw CommandError(
                "\(flag) \(path ?? ""): its manifest tells another kernel: \(differences.joined(separator: ", ")) differ"
            )
        }
    }

    private func checkShape(_ file: MappedMatrix?, _ flag: String, _ count: Int) throws {
        guard let file else { return }
        let expected =
            (targets.kind == .diagonal ? [targets.planes] : [])
            + [count * targets.kind.rows(network.outputs), targets.rows]
        guard file.shape == expected else {
            throw CommandError(
                "\(flag) \(file.path): shape \(file.shape), expected \(expected) for --kind \(targets.kind.rawValue)"
            )
        }
    }

    // MARK: Kernels

    /// The network's outputs, `[N, O]`; zeros with --zero-start.
    func start(_ samples: Samples, on backend: any Backend) throws -> [Double] {
        let zeros = [Double](repeating: 0, count: samples.count * network.outputs)
        if options.zeroStart { return zeros }
        let common = options.common
        let study = try Study(
            network, weights, samples, .mse, batchSize: common.batchSize, on: backend, common.precision)
        let logits = try study.evaluator.run(study.arrays).logits
        if let bad = logits.firstIndex(where: { !$0.isFinite }) {
            throw CommandError(
                "\(samples.file): the network's output for sample \(bad / network.outputs) is \(plain(logits[bad]))"
            )
        }
        return logits
    }

    /// The matrix of every system in float64, scaled to one output.
    func matrices(on backend: any Backend, memory: Int) throws -> [[Double]] {
        var planes: [[Double]]
        if let file {
            planes = try (0..<file.planes).map { plane in
                try file.checkFinite(0..<file.rows, plane: plane)
                let matrix = file.doubles(0..<file.rows, plane: plane)
                try checkSymmetric(matrix, file.path)
                return matrix
            }
        } else {
            let sink = try KernelMemory(
                rows: targets.rows, columns: targets.rows, planes: targets.planes, options.common.precision)
            try run(samples, nil, into: sink, on: backend, memory: memory)
            let count = targets.rows * targets.rows
            planes =
                targets.planes == 1
                ? [sink.elements]
                : (0..<targets.planes).map { Array(sink.elements[$0 * count..<($0 + 1) * count]) }
            if let bad = planes.joined().first(where: { !$0.isFinite }) {
                throw CommandError(
                    "the kernel holds \(plain(bad)): the weights or samples are too large for it")
            }
        }
        if targets.scale != 1 { planes = planes.map { $0.map { $0 * targets.scale } } }
        return planes
    }

    /// `K(x, X)·A` for held-out samples, with one factor `[n, columns]` for every system.
    func product(
        _ held: Samples, _ factors: [[Double]], columns: Int, on backend: any Backend, memory: Int
    ) throws -> [[Double]] {
        let rows = held.count * targets.kind.rows(network.outputs)
        let scaled = targets.scale == 1 ? factors : factors.map { $0.map { $0 * targets.scale } }
        if let testFile {
            let sink = KernelProduct(
                rows: rows, factors: scaled, columns: columns, testFile.isWide ? .float64 : .float32)
            try sink.take(testFile)
            return sink.values
        }
        let sink = KernelProduct(rows: rows, factors: scaled, columns: columns, options.common.precision)
        try run(held, samples, into: sink, on: backend, memory: memory)
        return sink.values
    }

    /// The kernel as products with the Jacobian, which is formed nowhere.
    func tangentOperator(
        on backend: any Backend, _ precision: Precision, memory: Int
    ) throws -> TangentKernelOperator {
        let common = options.common, network = network
        let arrays = try NetworkArrays(network, weights, on: backend, precision)
        return try TangentKernelOperator(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState,
            x: (try backend.upload(samples.inputs.doubles, precision), samples.count),
            kind: targets.kind, batchSize: common.batchSize, memory: memory / 2, on: backend)
    }

    /// The trace of the kernel of every system, not scaled.
    func trace(on backend: any Backend, memory: Int) throws -> Double {
        let sink = KernelDiagonal(rows: targets.rows, planes: targets.planes, options.common.precision)
        try run(samples, nil, into: sink, on: backend, memory: memory, tile: 16)
        return sink.elements.reduce(0, +)
    }

    private func run(
        _ rows: Samples, _ columns: Samples?, into sink: any KernelSink, on backend: any Backend, memory: Int,
        tile: Int? = nil
    ) throws {
        let common = options.common, network = network
        let arrays = try NetworkArrays(network, weights, on: backend, common.precision)
        func upload(_ samples: Samples) throws -> EmpiricalNTK.Samples {
            (try backend.upload(samples.inputs.doubles, common.precision), samples.count)
        }
        var settings = EmpiricalNTK.Options()
        (settings.batchSize, settings.memory, settings.keepsTimes) = (common.batchSize, memory, false)
        settings.tile = tile
        let ntk = try EmpiricalNTK(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: try upload(rows), x2: try columns.map(upload), kind: targets.kind,
            settings,
            on: backend)
        guard ntk.plannedBytes <= memory else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little: features and tiles need "
                    + "\(ntk.plannedBytes >> 20) MiB where \(memory >> 20) MiB are left; give more memory or a smaller "
                    + "--batch-size")
        }
        let what = columns == nil ? "kernel" : "kernel of held-out samples"
        defer { Console.clear() }
        try ntk.run(into: sink) { Console.progress("\(what): tile \($0) of \($1)") }
    }

    private func checkSymmetric(_ matrix: [Double], _ path: String) throws {
        let n = targets.rows
        let largest = matrix.reduce(0) { max($0, abs($1)) }
        let bound = 16 * epsilon * largest
        for i in 0..<n {
            for j in 0..<i where abs(matrix[i * n + j] - matrix[j * n + i]) > bound {
                throw CommandError(
                    "--kernel \(path): not symmetric: \(matrix[i * n + j]) at (\(i), \(j)) and \(matrix[j * n + i]) at "
                        + "(\(j), \(i))")
            }
        }
    }
}
