import Analysis
import Backend
import Foundation
import Report

/// What a run would cost: from one product that is timed, and from counts.
struct SpectrumPlan {
    private struct Output: Encodable {
        struct Part: Encodable {
            var part: String
            var products: Int
            var seconds: Double
            var vectorBytes: Int
        }
        var dimension: Int
        var productSeconds: Double
        var gradientSeconds: Double
        var bytesInUse: Int
        var bytesFree: Int
        var parts: [Part]
        var seconds: Double
        var device: String
        var precision: String
    }

    private let options: MeasureCommand
    private let matrix: any LinearOperator
    private let risk: Risk
    private let layers: Int
    /// The device's free memory before the matrix was there.
    private let free: Int

    init(
        _ options: MeasureCommand, _ matrix: any LinearOperator, _ risk: Risk, layers: Int, freeBefore: Int
    ) {
        (self.options, self.matrix, self.risk, self.layers) = (options, matrix, risk, layers)
        free = freeBefore
    }

    func show() throws {
        let backend = matrix.space.backend, row = matrix.dimension * options.common.precision.bytes
        let vector = try matrix.space.vector(), result = try matrix.space.vector()
        let gradient = try risk.space.vector()
        let product = try time { try matrix.apply(vector.all, into: result.all) }
        let slope = try time { _ = try risk.gradient(into: gradient.all) }
        var parts: [Output.Part] = []
        func add(_ name: String, _ products: Int, vectors: Int) {
            parts.append(
                Output.Part(
                    part: name, products: products, seconds: Double(products) * product,
                    vectorBytes: vectors * row))
        }
        if let count = options.count {
            // Typical of spectra with some outliers over a bulk.
            let products = min(matrix.dimension, 6 * count + 40)
            // Every product is kept beside its vector.
            add("\(count) eigenvalues, typically", products, vectors: 2 * (products + count))
        }
        if let accuracy = options.trace {
            add(
                accuracy.relative == nil ? "trace" : "trace, at most",
                accuracy.relative == nil ? options.probes : options.traceProducts, vectors: 8)
        }
        if options.needsDensity {
            let steps = min(options.lanczosSteps, matrix.dimension)
            add("density", steps * options.probes, vectors: steps * min(matrix.blockSize, options.probes))
        }
        if options.diagonal {
            add("diagonal", min(options.probes, matrix.dimension), vectors: 8)
        }
        if options.perLayer {
            add("layers, typically", layers * (options.probes + 60), vectors: 100)
        }
        let output = Output(
            dimension: matrix.dimension, productSeconds: product, gradientSeconds: slope,
            bytesInUse: free - backend.freeMemory, bytesFree: backend.freeMemory, parts: parts,
            seconds: parts.reduce(0) { $0 + $1.seconds }, device: backend.device.name,
            precision: options.common.precision.rawValue)
        if options.common.json { return try Console.json(output) }
        Console.table([
            ("matrix", "\(options.curvature.title), \(matrix.dimension) rows"),
            ("one product", formatSeconds(product)), ("one gradient", formatSeconds(slope)),
            ("memory that products hold", "\((free - backend.freeMemory) >> 20) MiB"),
            ("memory that is left", "\(backend.freeMemory >> 20) MiB"),
        ])
        var table = Report.Table(
            columns: ["part"] + ["products", "time", "vectors"].map { Report.Column($0, alignment: .right) })
        table.rows = parts.map {
            [
                Report.Cell($0.part), Report.Cell("\($0.products)"), Report.Cell(formatSeconds($0.seconds)),
                Report.Cell("\($0.vectorBytes >> 20) MiB"),
            ]
        }
        print("\n" + table.text)
    }

    private func time(_ body: () throws -> Void) throws -> Double {
        try body()
        let space = matrix.space
        try space.backend.synchronize()
        let clock = ContinuousClock.now
        try body()
        try space.backend.synchronize()
        return (ContinuousClock.now - clock) / .seconds(1)
    }
}
