import Backend
import Foundation
import Graph
import Planner

/// The empirical neural tangent kernel `K = J·Jᵀ` of a model at given weights (Jacot et al. 2018).
public struct EmpiricalNTK: Sendable {
    /// Which entries of the kernel.
    public enum Kind: String, Sendable, CaseIterable {
        /// `[N·O, M·O]` with index `n·O + o`.
        case full
        /// `[N, M]`: the sum over outputs of the diagonal blocks.
        case trace
    }

    /// What was done for one parameter tensor.
    public struct LayerReport: Sendable, Codable {
        /// Name of the tensor.
        public let layer: String
        /// `dense structure`, `jacobian rows` or `explicit columns`.
        public let algorithm: String
        /// Floating-point operations of the contraction.
        public let flops: Int
        /// Time of the contraction.
        public let seconds: Double
    }

    /// The kernel.
    public let kernel: KernelMatrix
    /// Number of outputs of the model.
    public let outputs: Int
    /// What was done for each parameter tensor.
    public let layers: [LayerReport]

    /// Computes a kernel between samples `x` and, if given, other samples `x2`.
    ///
    /// - Parameters:
    ///   - x: inputs `[N, …]` on the device, and their number; likewise `x2`.
    ///   - fixed: inputs of the forward program that are neither parameters nor samples.
    ///   - memory: bytes that the per-sample features may take on the device.
    public static func compute(
        _ forward: @escaping @Sendable (Int) -> Program, _ layout: ParameterLayout, parameters: DeviceArray,
        fixed: [String: DeviceSlice], x: (array: DeviceArray, count: Int),
        x2: (array: DeviceArray, count: Int)?,
        kind: Kind, batchSize: Int, memory: Int = 1 << 30, on backend: any Backend
    ) throws(BackendError) -> EmpiricalNTK {
        let precision = parameters.precision
        var bound = fixed
        for entry in layout.entries { bound[entry.name] = parameters[entry.range] }
        let smallest = min(x.count, x2?.count ?? x.count)
        func extractor(_ batch: Int) throws(BackendError) -> FeatureExtractor {
            try FeatureExtractor(forward, layout, batch: batch, bound: bound, on: backend, precision)
        }
        var features = try extractor(min(batchSize, smallest))

        // Two tiles of samples are held at once.
        let perSample = features.parameters.reduce(0) { $0 + $1.elements(outputs: features.outputs) }
        let tile = max(
            1, min(max(x.count, x2?.count ?? 0), memory / (2 * max(1, perSample) * precision.bytes)))
        if tile < batchSize, tile < smallest { features = try extractor(tile) }
        var contraction = try Contraction(
            features, kind, rows: min(tile, x.count), columns: min(tile, x2?.count ?? x.count), on: backend,
            precision)
        let block = kind == .full ? features.outputs : 1
        let (rows, columns) = (x.count * block, (x2?.count ?? x.count) * block)
        var elements = [Double](repeating: 0, count: rows * columns)

        // Ragged tiles overlap the tile before them; values are written once more, the same for both halves.
        func starts(_ count: Int) -> [Int] {
            let width = min(tile, count)
            return stride(from: 0, to: count, by: width).map { min($0, count - width) }
        }
        let left = try features.allocate(min(tile, x.count))
        let right = try features.allocate(min(tile, x2?.count ?? x.count))
        for i in starts(x.count) {
            try extract(x, i, min(tile, x.count), features, left)
            for j in starts(x2?.count ?? x.count) where x2 != nil || j <= i {
                let isDiagonal = x2 == nil && i == j
                if !isDiagonal { try extract(x2 ?? x, j, min(tile, (x2 ?? x).count), features, right) }
                let values = try contraction.run(left, isDiagonal ? nil : right)
                let width = min(tile, (x2 ?? x).count) * block
                for (index, value) in values.enumerated() {
                    let (row, column) = (i * block + index / width, j * block + index % width)
                    elements[row * columns + column] = value
                    if x2 == nil { elements[column * columns + row] = value }
                }
            }
        }
        return EmpiricalNTK(
            kernel: KernelMatrix(elements, rows: rows, columns: columns), outputs: features.outputs,
            layers: contraction.reports)
    }

    private static func extract(
        _ x: (array: DeviceArray, count: Int), _ start: Int, _ count: Int, _ features: FeatureExtractor,
        _ arrays: [String: DeviceArray]
    ) throws(BackendError) {
        let perSample = x.array.count / x.count
        try features.extract(
            x.array[start * perSample..<(start + count) * perSample], count: count, into: arrays)
    }
}

/// Sums the contributions of all parameters to one tile of the kernel.
private struct Contraction {
    private let features: FeatureExtractor
    private let kind: EmpiricalNTK.Kind
    private let rows: Int, columns: Int
    private let backend: any Backend
    private let precision: Precision
    private var programs: [String: any Executable] = [:]
    private(set) var reports: [EmpiricalNTK.LayerReport]

    init(
        _ features: FeatureExtractor, _ kind: EmpiricalNTK.Kind, rows: Int, columns: Int,
        on backend: any Backend,
        _ precision: Precision
    ) throws(BackendError) {
        (self.features, self.kind, self.rows, self.columns) = (features, kind, rows, columns)
        (self.backend, self.precision) = (backend, precision)
        reports = features.parameters.map {
            EmpiricalNTK.LayerReport(
                layer: $0.entry.name, algorithm: $0.algorithm.rawValue, flops: 0, seconds: 0)
        }
    }

    /// Elements of a tile, sample-major: index `(n·O + o, m·O + q)`, or `(n, m)` for the trace.
    mutating func run(
        _ left: [String: DeviceArray], _ right: [String: DeviceArray]?
    ) throws(BackendError) -> [Double] {
        let o = features.outputs
        let columns = right == nil ? rows : self.columns
        let shape: Shape = kind == .full ? [o, rows, o, columns] : [rows, columns]
        var sum = try backend.allocate(shape.count, precision)
        var next = try backend.allocate(shape.count, precision)
        for (index, parameter) in features.parameters.enumerated() {
            let clock = ContinuousClock.now
            let executable = try program(parameter, isSymmetric: right == nil)
            let inputs = executable.plan.inputs.map { port in
                if port.name == "sum" { return sum.all }
                let isRight = port.name.hasPrefix("right ")
                let name = String(port.name.dropFirst(isRight ? 6 : 5))
                return (isRight ? right! : left)[name]!.all
            }
            try executable.run(inputs: inputs, outputs: [next.all])
            try backend.synchronize()
            swap(&sum, &next)
            let spent = (ContinuousClock.now - clock) / .seconds(1)
            let before = reports[index]
            reports[index] = EmpiricalNTK.LayerReport(
                layer: before.layer, algorithm: before.algorithm, flops: before.flops + executable.plan.flops,
                seconds: before.seconds + spent)
        }
        if kind == .trace { return try backend.download(sum.all) }
        let executable = try cached("permute \(columns)") {
            .trace { [("y", $0.input("x", shape).permuted([1, 0, 3, 2]))] }
        }
        try executable.run(inputs: [sum.all], outputs: [next.all])
        return try backend.download(next.all)
    }

    private mutating func program(
        _ parameter: ParameterFeatures, isSymmetric: Bool
    ) throws(BackendError) -> any Executable {
        let program = contribution(parameter, isSymmetric)
        return try cached("\(parameter.entry.name) \(isSymmetric)") { program }
    }

    private mutating func cached(_ key: String, _ make: () -> Program) throws(BackendError) -> any Executable
    {
        if let known = programs[key] { return known }
        let made = try backend.compile(make(), precision)
        programs[key] = made
        return made
    }

    /// The program that adds one parameter's contribution to the tile.
    private func contribution(_ parameter: ParameterFeatures, _ isSymmetric: Bool) -> Program {
        let (o, n, m) = (features.outputs, rows, isSymmetric ? rows : columns)
        let (kind, width) = (kind, parameter.width)
        return Program.trace { t in
            let name = parameter.entry.name
            func pair(_ what: String, _ rowShape: Shape, _ columnShape: Shape) -> (Tensor, Tensor) {
                let left = t.input("left \(what) of \(name)", rowShape)
                return (left, isSymmetric ? left : t.input("right \(what) of \(name)", columnShape))
            }
            var block: Tensor
            switch kind {
            case .full:
                let (a, b) = pair("rows", [o * n, width], [o * m, width])
                block = a.matmul(b, transposeB: true).reshaped([o, n, o, m])
            case .trace:
                let (a, b) = pair("rows", [o, n, width], [o, m, width])
                block = a.matmul(b, transposeB: true).sum([0]).reshaped([n, m])
            }
            if parameter.inputs > 0 {
                let (a, b) = pair("activation", [n, parameter.inputs], [m, parameter.inputs])
                let gram = a.matmul(b, transposeB: true)
                let spread =
                    kind == .full ? gram.reshaped([1, n, 1, m]).broadcast(to: [o, n, o, m]) : gram
                block = block * spread
            }
            return [("sum", block + t.input("sum", block.shape))]
        }
    }
}
