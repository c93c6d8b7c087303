import Analysis
import Backend
import Data
import Graph
import Models
import Planner
import Training

/// A network with random weights and a batch of 128 samples, made so that the naive interpreter can afford the
/// reference: the batch repeats two random samples in random order, so its mean loss is that of the two, weighted
/// by how often each occurs. No device can know.
struct NetworkCase {
    /// Its name in workloads.
    let name: String
    let network: Network

    static let batch = 128
    private static let distinct = 2

    /// The networks of the benchmark.
    static func all() throws -> [NetworkCase] {
        [
            NetworkCase(
                name: "mlp", network: try Builders.mlp(input: [784], widths: [1024, 1024], classes: 10)),
            NetworkCase(
                name: "cnn",
                network: try Builders.cnn(input: [1, 28, 28], widths: (32, 64, 64), classes: 10)),
            NetworkCase(name: "resnet20", network: try Builders.resnet20(input: [3, 32, 32], classes: 10)),
        ]
    }

    var programs: RiskPrograms {
        let network = network
        return RiskPrograms(
            forward: { network.forward(batchSize: $0) },
            loss: { Loss.crossEntropy.program(batchSize: $0, outputs: network.outputs) },
            layout: network.layout)
    }

    // MARK: Numbers

    /// Samples and one-hot targets of the two distinct samples, and which of them each of `count` samples is.
    struct Samples {
        let inputs: [Double], targets: [Double]
        let order: [Int]

        /// Rows of an array, one for each of the samples.
        func repeated(_ rows: [Double]) -> [Double] {
            let width = rows.count / NetworkCase.distinct
            return order.flatMap { rows[$0 * width..<($0 + 1) * width] }
        }
    }

    func samples(
        _ seed: UInt64, _ precision: Precision, count: Int = batch, batchSize: Int = batch
    ) -> Samples {
        var random = RandomStream(seed: seed, purpose: "bench order")
        let targets = (0..<Self.distinct).flatMap { sample in
            (0..<network.outputs).map { $0 == (3 * sample + 1) % network.outputs ? 1.0 : 0 }
        }
        // Every batch has both samples equally often, so that all batches have one mean.
        let order = (0..<count / batchSize).flatMap { _ in
            random.permutation(batchSize).map { $0 % Self.distinct }
        }
        return Samples(
            inputs: BoundProgram.random(
                Self.distinct * network.input.count, seed, "samples of \(name)", precision),
            targets: targets, order: order)
    }

    /// Initial weights, as the precision holds them.
    func weights(_ seed: UInt64, _ precision: Precision) -> Weights {
        let weights = Weights.initial(network, seed: seed)
        func rounded(_ values: [Double]) -> [Double] {
            precision == .float64 ? values : values.map { Double(Float($0)) }
        }
        return Weights(parameters: rounded(weights.parameters), state: rounded(weights.state))
    }

    /// A direction in weight space.
    func direction(_ seed: UInt64, _ precision: Precision) -> [Double] {
        BoundProgram.random(network.layout.count, seed, "direction of \(name)", precision)
    }

    // MARK: On a device

    /// The mean loss over a batch, or over several.
    func risk(_ setting: Setting, _ precision: Precision, batches: Int = 1, of size: Int = batch) throws
        -> Risk
    {
        let samples = samples(setting.seed, precision, count: batches * size, batchSize: size)
        let arrays = try NetworkArrays(
            network, weights(setting.seed, precision), on: setting.backend, precision)
        let data = try BatchedData(
            [("x", samples.repeated(samples.inputs)), ("targets", samples.repeated(samples.targets))],
            sampleCount: batches * size, batchSize: size, on: setting.backend, precision)
        return Risk(
            programs, data: data, parameters: arrays.parameters, fixed: arrays.boundState, on: setting.backend
        )
    }

    // MARK: Reference

    /// What is compared with the interpreter.
    enum Quantity: String {
        case loss
        case gradient
        case hessianVector = "hessian-vector"
        /// The gradient of a training step: batch normalisation uses the statistics of the batch, which are those
        /// of the two samples.
        case trainingGradient = "training gradient"
    }

    /// The quantity by the interpreter in float64, computed once for all devices.
    func reference(_ quantity: Quantity, _ setting: Setting, _ precision: Precision) -> [Double] {
        setting.references.value("\(name) \(quantity) \(precision) \(setting.seed)") {
            let samples = samples(setting.seed, precision), weights = weights(setting.seed, precision)
            var inputs = [
                "x": samples.inputs, "targets": samples.targets,
                "weights": (0..<Self.distinct).map { sample in
                    Double(samples.order.count { $0 == sample }) / Double(samples.order.count)
                },
            ]
            let direction = direction(setting.seed, precision)
            for entry in network.layout.entries {
                inputs[entry.name] = Array(weights.parameters[entry.range])
                inputs["v of \(entry.name)"] = Array(direction[entry.range])
            }
            for entry in network.state.entries { inputs[entry.name] = Array(weights.state[entry.range]) }
            return Interpreter.run(program(quantity), inputs).flatMap { $0 }
        }
    }

    private func program(_ quantity: Quantity) -> Program {
        .trace { t in
            let logits = logits(t, isTraining: quantity == .trainingGradient)
            let loss = t.inline(programs.loss(Self.distinct), inputs: ["logits": logits])[0]
            if quantity == .loss { return [("loss", loss)] }
            let entries = network.layout.entries
            let parameters = entries.map { t.input($0.name, $0.shape) }
            var results = t.vjp([(of: loss, cotangent: loss.filled(1))], to: parameters)
            if quantity == .hessianVector {
                let tangents = zip(entries, parameters).map {
                    (at: $1, tangent: t.input("v of \($0.name)", $0.shape))
                }
                results = t.jvp(results, along: tangents)
            }
            return zip(entries, results).map { ($0.name, $1) }
        }
    }

    private func logits(_ t: Trace, isTraining: Bool) -> Tensor {
        if !isTraining { return t.inline(programs.forward(Self.distinct), inputs: [:])[0] }
        let x = t.input("x", Shape([Self.distinct] + network.input.dims))
        return network.apply(x, .training(weights: t.input("weights", [Self.distinct]))).logits
    }

    /// Rounding of a whole network. A pre-activation close enough to zero may get another slope, which changes
    /// what one pixel of one sample contributes.
    static func tolerance(_ precision: Precision) -> Double { precision == .float32 ? 1e-2 : 1e-8 }
}
