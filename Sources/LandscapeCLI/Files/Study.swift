import Analysis
import Backend
import Graph
import Models
import Planner
import Training

/// A network with weights and samples on a device: what most commands begin with.
struct Study {
    let network: Network
    let arrays: NetworkArrays
    let evaluator: Evaluator
    private let samples: Samples
    private let targets: [Double]
    private let loss: Loss
    private let batchSize: Int
    private let backend: any Backend
    private let precision: Precision

    init(
        _ network: Network, _ weights: Weights, _ samples: Samples, _ loss: Loss, batchSize: Int,
        on backend: any Backend, _ precision: Precision
    ) throws {
        (self.network, self.samples, self.loss) = (network, samples, loss)
        (self.batchSize, self.backend, self.precision) = (batchSize, backend, precision)
        // Without targets only the logits mean anything.
        targets =
            samples.hasTargets
            ? try samples.targetRows(network)
            : [Double](repeating: 0, count: samples.count * network.outputs)
        arrays = try NetworkArrays(network, weights, on: backend, precision)
        evaluator = try Evaluator(
            network, loss, inputs: samples.inputs.doubles, targets: targets, labels: samples.labels,
            batchSize: batchSize, on: backend, precision)
    }

    /// The mean loss as analysis sees it, on clean inputs or on those of an attack at these weights.
    func risk(attack: Attack? = nil, seed: UInt64 = 0) throws -> Risk {
        var inputs = samples.inputs.doubles
        if let attack { inputs = try evaluator.attacked(arrays, attack, seed: seed) }
        let data = try BatchedData(
            [("x", inputs), ("targets", targets)], sampleCount: samples.count, batchSize: batchSize,
            on: backend,
            precision)
        let (network, loss) = (network, loss)
        let programs = RiskPrograms(
            forward: { network.forward(batchSize: $0) },
            loss: { loss.program(batchSize: $0, outputs: network.outputs) }, layout: network.layout)
        return Risk(
            programs, data: data, parameters: arrays.parameters, fixed: arrays.boundState, on: backend)
    }
}
