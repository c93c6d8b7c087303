import Analysis
import Backend
import Data
import Foundation
import Graph
import Models
import Report
import Training

/// One run of `landscape ntk`: from samples and weights to a kernel in a file or in memory, and a table.
struct KernelRun {
    private let options: KernelCommand
    private let network: Network
    private let samples: Samples, others: Samples?

    init(_ options: KernelCommand, _ network: Network, _ samples: Samples, _ others: Samples?) {
        (self.options, self.network, self.samples, self.others) = (options, network, samples, others)
    }

    /// One parameter tensor's share, as `--json` shows it.
    private struct Layer: Encodable {
        var layer: String
        var algorithm: String
        var flops: Double
        var bytes: Double
        var predicted: Double?
        var seconds: Double?
    }

    private struct Output: Encodable {
        var samples: Int
        var samples2: Int?
        var outputs: Int
        var kind: String
        var tile: Int
        var trace: Double?
        var frobenius: Double?
        var lambdaMax: Double?
        var lambdaMin: Double?
        var conditionNumber: Double?
        var effectiveRank: Double?
        var roundingBound: Double?
        var featureSeconds: Double?
        /// Seconds at the device's measured rates, of the features and of all.
        var featurePredicted: Double
        var predictedSeconds: Double
        var shareOfGEMM: Double?
        var plannedBytes: Int
        var plan: [Layer]
        var device: String
        var precision: String
    }

    func run() throws {
        let common = options.common
        let weights = try options.model.load(network, seed: common.seed)
        let backend = try common.open()
        let arrays = try NetworkArrays(network, weights, on: backend, common.precision)
        func upload(_ samples: Samples) throws -> EmpiricalNTK.Samples {
            (try backend.upload(samples.inputs.doubles, common.precision), samples.count)
        }
        let x = try upload(samples), x2 = try others.map(upload)
        var settings = EmpiricalNTK.Options()
        settings.batchSize = common.batchSize
        let known = knownManifest(), rates = try DeviceSpeed.known(backend, common.precision)
        settings.tile = options.tile ?? known?.tile
        // What was decided once is decided for all tiles.
        settings.balance = known?.balance ?? rates.balance(common.precision)
        settings.algorithm = options.algorithm?.algorithm
        settings.memory = try budget(x.array.count + (x2?.array.count ?? 0))
        settings.keepsTimes = true
        let network = network
        let ntk = try EmpiricalNTK(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: x, x2: x2, kind: options.kind, settings, on: backend)
        guard ntk.plannedBytes <= settings.memory else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little: features and tiles of \(ntk.tile) samples need "
                    + "\(ntk.plannedBytes >> 20) MiB where \(settings.memory >> 20) MiB are left; give more memory, a "
                    + "smaller --tile or a smaller --batch-size")
        }
        if options.plan { return try show(ntk, rates, nil, backend) }
        let kernel = try compute(ntk, weights, settings.balance, backend)
        try show(ntk, rates, kernel, backend)
    }

    /// Memory that is left for features and tiles. Without a file the kernel is held, and again in float64.
    private func budget(_ inputs: Int) throws -> Int {
        let precision = options.common.precision, block = options.kind.rows(network.outputs)
        let elements =
            samples.count * block * (others?.count ?? samples.count) * block
            * options.kind.planes(network.outputs)
        return try MemoryBudget(
            options.memory, inputs: inputs, parameters: network.layout.count, precision,
            further: options.output == nil
                ? (elements * (precision.bytes + 16), "a kernel without --output") : nil
        ).left
    }

    /// The kernel; nil if it stays in its file.
    private func compute(
        _ ntk: EmpiricalNTK, _ weights: Weights, _ balance: Double, _ backend: any Backend
    ) throws -> KernelMatrix? {
        func progress(_ done: Int, _ of: Int) { Console.progress("tile \(done) of \(of)") }
        defer { Console.clear() }
        guard let output = options.output else {
            let sink = try KernelMemory(
                rows: ntk.rows, columns: ntk.columns, planes: ntk.planes, options.common.precision)
            try ntk.run(into: sink, progress: progress)
            return KernelMatrix(sink.elements, rows: ntk.rows * ntk.planes, columns: ntk.columns)
        }
        var manifest = manifest(ntk, weights, backend.device.name)
        manifest.balance = balance
        let old = try options.append.map {
            let before = try KernelFile.manifest($0).samples * network.input.count
            return try KernelFile.Old(
                $0, for: manifest, firstInputs: Checksum.digest(samples.inputs.doubles.prefix(before)))
        }
        let file = try KernelFile(output, manifest)
        if file.found > 0 || file.damaged > 0 {
            Console.note(
                "\(output): \(file.found) tiles are there"
                    + (file.damaged > 0 ? ", \(file.damaged) damaged ones are computed again" : ""))
        }
        if let old { try file.takeOver(old, tile: ntk.tile) }
        var parts: [KernelFile] = []
        for cost in ntk.costs where options.perLayer {
            var part = manifest
            part.part = cost.layer
            parts.append(try KernelFile(partPath(output, cost.layer), part))
        }
        try ntk.run(into: AllSinks(file, parts), each: parts, progress: progress)
        try file.finish()
        for part in parts { try part.finish() }
        let bytes = ntk.rows * ntk.columns * ntk.planes * 8
        guard bytes <= options.memory.bytes / 4, ntk.rows * ntk.planes <= 20_000 else { return nil }
        let array = try Npy.read(output)
        return KernelMatrix(array.doubles, rows: ntk.rows * ntk.planes, columns: ntk.columns)
    }

    private func partPath(_ output: String, _ layer: String) -> String {
        let name = layer.replacingOccurrences(of: " + ", with: "+").replacingOccurrences(of: "/", with: "_")
        return (output.hasSuffix(".npy") ? String(output.dropLast(4)) : output) + ".\(name).npy"
    }

    private func manifest(_ ntk: EmpiricalNTK, _ weights: Weights, _ device: String) -> KernelManifest {
        let shape = (options.kind == .diagonal ? [ntk.planes] : []) + [ntk.rows, ntk.columns]
        return KernelManifest(
            shape: shape, precision: options.common.precision.rawValue, kind: options.kind, tile: ntk.tile,
            samples: samples.count, samples2: others?.count, inputs: Checksum.digest(samples.inputs.doubles),
            inputs2: others.map { Checksum.digest($0.inputs.doubles) },
            weights: Checksum.digest(weights.parameters + weights.state),
            model: Checksum.digest(ModelFile.text(network).utf8.map(Double.init)),
            algorithms: ntk.costs.map { "\($0.layer): \($0.algorithm.rawValue)" }, device: device)
    }

    /// What the kernel that is continued or appended to was begun with, so that its tiles can be used.
    private func knownManifest() -> KernelManifest? {
        for path in [options.output, options.append].compactMap({ $0 })
        where FileManager.default.fileExists(atPath: KernelFile.manifestPath(path)) {
            return try? KernelFile.manifest(path)
        }
        return nil
    }

    // MARK: What is shown

    private func show(
        _ ntk: EmpiricalNTK, _ rates: DeviceSpeed, _ kernel: KernelMatrix?, _ backend: any Backend
    ) throws {
        let costs = ntk.costs.map { cost in
            var cost = cost
            cost.predicted = rates.seconds(
                flops: cost.flops - cost.gramFlops, gramFlops: cost.gramFlops, bytes: cost.bytes)
            return cost
        }
        let spent = costs.reduce(0) { $0 + ($1.seconds ?? 0) }, flops = costs.reduce(0) { $0 + $1.doneFlops }
        let features = rates.seconds(flops: ntk.featureWork.flops, bytes: ntk.featureWork.bytes)
        let isSquare = others == nil && options.kind != .diagonal
        var values: [Double] = []
        if let kernel, isSquare, options.eigenvalues ?? (kernel.rows <= 2000) {
            values = try kernel.eigenvalues()
        }
        let bound = values.last.map {
            // What rounding of the entries typically moves an eigenvalue by.
            Double(values.count).squareRoot() * options.common.precision.epsilon * abs($0)
        }
        let result = Output(
            samples: samples.count, samples2: others?.count, outputs: ntk.outputs,
            kind: options.kind.rawValue,
            tile: ntk.tile, trace: isSquare ? kernel?.trace : nil, frobenius: kernel?.frobenius,
            lambdaMax: values.last, lambdaMin: values.first,
            conditionNumber: values.first.flatMap { $0 > (bound ?? 0) ? values.last! / $0 : nil },
            effectiveRank: values.isEmpty ? nil : KernelMatrix.effectiveRank(values), roundingBound: bound,
            featureSeconds: options.plan ? nil : ntk.featureSeconds,
            featurePredicted: features,
            predictedSeconds: costs.reduce(features) { $0 + ($1.predicted ?? 0) },
            shareOfGEMM: spent > 0 ? flops / spent / rates.flopsPerSecond : nil,
            plannedBytes: ntk.plannedBytes,
            plan: costs.flatMap { cost in
                cost.layer.components(separatedBy: " + ").enumerated().map { index, name in
                    Layer(
                        layer: name, algorithm: cost.algorithm.rawValue, flops: index == 0 ? cost.flops : 0,
                        bytes: index == 0 ? cost.bytes : 0, predicted: index == 0 ? cost.predicted : 0,
                        seconds: index == 0 ? cost.seconds : cost.seconds.map { _ in 0 })
                }
            }, device: backend.device.name, precision: options.common.precision.rawValue)
        if options.common.json { return try Console.json(result) }
        Console.table(rows(result, ntk))
        print("\n" + table(costs, ntk, result).text)
    }

    private func rows(_ result: Output, _ ntk: EmpiricalNTK) -> [(String, String)] {
        func number(_ name: String, _ value: Double?) -> [(String, String)] {
            value.map { [(name, formatSignificant($0, digits: 6))] } ?? []
        }
        let planes = ntk.planes > 1 ? "\(ntk.planes) of " : ""
        let tiles = ntk.tiles
        return [
            ("kernel", "\(planes)\(ntk.rows) × \(ntk.columns), \(options.kind.rawValue)"),
            ("tiles", "\(tiles.rows) × \(tiles.columns) of \(ntk.tile) samples"),
            ("memory on the device", "\(ntk.plannedBytes >> 20) MiB for features and tiles"),
        ] + number("Frobenius norm", result.frobenius) + number("trace", result.trace)
            + number("largest eigenvalue", result.lambdaMax) + number("smallest eigenvalue", result.lambdaMin)
            + number("rounding bound", result.roundingBound)
            + number("condition number", result.conditionNumber)
            + number("effective rank", result.effectiveRank)
            + (result.shareOfGEMM.map { [("share of the GEMM rate", "\(formatSignificant(100 * $0)) %")] }
                ?? [])
    }

    private func table(_ costs: [KernelCost], _ ntk: EmpiricalNTK, _ result: Output) -> Report.Table {
        var table = Report.Table(
            columns: ["parameters", "algorithm"]
                + ["GFLOP", "MB", "predicted", "measured"].map { Report.Column($0, alignment: .right) })
        table.rows = costs.map { cost in
            [
                Report.Cell(cost.layer), Report.Cell(cost.algorithm.rawValue),
                Report.Cell(formatSignificant(cost.flops / 1e9)),
                Report.Cell(formatSignificant(cost.bytes / 1e6)),
                Report.Cell(cost.predicted.map(formatSeconds) ?? "–"),
                Report.Cell(cost.seconds.map(formatSeconds) ?? "–"),
            ]
        }
        table.rows.append(
            [
                "features of all samples", "", formatSignificant(ntk.featureWork.flops / 1e9),
                formatSignificant(ntk.featureWork.bytes / 1e6), formatSeconds(result.featurePredicted),
                result.featureSeconds.map(formatSeconds) ?? "–",
            ].map { Report.Cell($0) })
        return table
    }
}

/// A tile is there if it is there in all files.
private final class AllSinks: KernelSink {
    private let whole: KernelFile, parts: [KernelFile]

    init(_ whole: KernelFile, _ parts: [KernelFile]) { (self.whole, self.parts) = (whole, parts) }

    func has(_ i: Int, _ j: Int) -> Bool { ([whole] + parts).allSatisfy { $0.has(i, j) } }

    func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) throws {
        try whole.write(i, j, tile, mirror: mirror)
    }
}
