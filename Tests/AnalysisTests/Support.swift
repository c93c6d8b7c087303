import Analysis
import Backend
import Foundation
import Graph
import Models
import Planner
import TestSupport
import Testing
import Training

/// All tests on devices run one after the other: they share cores and drivers.
@Suite(.serialized) enum OnDevices {}

/// A network with weights and data, ready to be analysed on any target.
struct Problem: Sendable {
    var network: Network
    var weights: Weights
    var inputs: [Double], targets: [Double]
    var loss: Loss
    var count: Int { inputs.count / network.input.count }

    /// A model file's layers with given weights and data.
    init(
        _ input: String, _ layers: [String], weights: [Double], inputs: [Double], targets: [Double],
        _ loss: Loss
    ) throws {
        let text = "input: \(input)\nlayers:\n" + layers.map { "- \($0)\n" }.joined()
        network = try ModelFile.parse(text, file: "m.yaml")
        self.weights = Weights(parameters: weights, state: [])
        (self.inputs, self.targets, self.loss) = (inputs, targets, loss)
    }

    /// The same with random weights, running statistics and data.
    init(_ input: String, _ layers: [String], count: Int, seed: UInt64, _ loss: Loss) throws {
        try self.init(input, layers, weights: [], inputs: [], targets: [], loss)
        var random = TestRandom(seed: seed)
        weights = Weights(
            parameters: random.values(network.layout.count, in: -0.7...0.7),
            state: random.values(network.state.count, in: 0.5...1.5))
        inputs = random.values(count * network.input.count)
        targets = (0..<count).flatMap { n -> [Double] in
            loss == .mse
                ? random.values(network.outputs)
                : (0..<network.outputs).map { $0 == (3 * n + 1) % network.outputs ? 1 : 0 }
        }
    }

    /// The mean loss on a device, in batches.
    func risk(_ target: Target, batchSize: Int = 100) throws -> Risk {
        try risk(on: try target.open(), target.precision, batchSize: batchSize)
    }

    /// The same on an open device.
    func risk(on backend: any Backend, _ precision: Precision, batchSize: Int = 100) throws -> Risk {
        let (network, loss) = (network, loss)
        let arrays = try NetworkArrays(network, weights, on: backend, precision)
        let data = try BatchedData(
            [("x", inputs), ("targets", targets)], sampleCount: count, batchSize: batchSize, on: backend,
            precision)
        let programs = RiskPrograms(
            forward: { network.forward(batchSize: $0) },
            loss: { loss.program(batchSize: $0, outputs: network.outputs) }, layout: network.layout)
        return Risk(
            programs, data: data, parameters: arrays.parameters, fixed: arrays.boundState, on: backend)
    }

    /// The kernel on a device, between all inputs and themselves or others.
    func ntk(
        _ target: Target, _ kind: KernelKind, batchSize: Int = 100, memory: Int = 1 << 30, tile: Int? = nil,
        algorithm: KernelAlgorithm? = nil, others: [Double]? = nil
    ) throws -> (kernel: KernelMatrix, costs: [KernelCost]) {
        let backend = try target.open()
        let network = network
        let arrays = try NetworkArrays(network, weights, on: backend, target.precision)
        let x = try backend.upload(inputs, target.precision)
        let x2 = try others.map {
            (array: try backend.upload($0, target.precision), count: $0.count / network.input.count)
        }
        var options = EmpiricalNTK.Options()
        (options.batchSize, options.memory, options.tile, options.algorithm) = (
            batchSize, memory, tile, algorithm
        )
        let ntk = try EmpiricalNTK(
            { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
            fixed: arrays.boundState, x: (x, count), x2: x2, kind: kind, options, on: backend)
        return (try ntk.matrix(), ntk.costs)
    }
}

extension LinearOperator {
    /// The operator's product with a vector of the host.
    func apply(_ vector: [Double]) throws -> [Double] {
        let result = try space.vector()
        try apply(space.backend.upload(vector, space.precision).all, into: result.all)
        return try space.backend.download(result.all)
    }

    /// All elements of the operator, row by row.
    func dense() throws -> [Double] {
        try (0..<dimension).flatMap { i in try apply((0..<dimension).map { $0 == i ? 1 : 0 }) }
    }
}

extension Target {
    /// A symmetric matrix as an operator.
    func matrix(_ elements: [Double]) throws -> DenseOperator {
        let n = Int(Double(elements.count).squareRoot().rounded())
        return try DenseOperator(elements, n, on: try open(), precision)
    }

    /// A diagonal matrix as an operator.
    func diagonal(_ values: [Double]) throws -> DenseOperator {
        let n = values.count
        return try matrix((0..<n * n).map { $0 % (n + 1) == 0 ? values[$0 / (n + 1)] : 0 })
    }
}

/// A random symmetric matrix, row-major.
func symmetric(_ n: Int, seed: UInt64) -> [Double] {
    var random = TestRandom(seed: seed)
    var a = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
        for j in 0...i {
            a[i * n + j] = random.values(1)[0]
            a[j * n + i] = a[i * n + j]
        }
    }
    return a
}
