import Backend
import Data
import Graph
import Models
import Planner

/// Trains a network on a device: every step is a gather of samples, perhaps an attack, one gradient program and
/// one update of the flat weights, without waiting for the device.
public final class Trainer {
    /// What a step reports.
    public struct StepRecord: Sendable {
        /// Mean loss of the batch before the update.
        public var loss: Double
        /// Fraction of its samples whose greatest logit, the first of equals, was that of the greatest target.
        public var accuracy: Double
        /// Samples of the batch.
        public var samples: Int
    }

    /// The network's tensors as they are now.
    public private(set) var arrays: NetworkArrays
    /// Steps done.
    public private(set) var step = 0
    /// Records of the steps done since the start or the checkpoint, filled by `finishRecords`.
    public private(set) var records: [StepRecord] = []

    /// The options.
    public let options: TrainingOptions
    private let network: Network
    private let backend: any Backend
    private let precision: Precision
    private let count: Int
    private let data: (x: DeviceArray, targets: DeviceArray)
    private let batch: (index: DeviceArray, weights: DeviceArray, x: DeviceArray, targets: DeviceArray)
    private let gather: any Executable, gradient: any Executable, update: any Executable
    private let attacker: Attacker?
    private var attackRandom: RandomStream
    /// Weights, state and optimiser vectors come in pairs that take turns.
    private var spareParameters: DeviceArray, spareState: DeviceArray
    private var moments: [(name: String, current: DeviceArray, spare: DeviceArray)]
    private let gradientVector: DeviceArray, coefficients: DeviceArray
    private var metrics: DeviceArray
    private var pending = 0
    private var order: (epoch: Int, samples: [Int]) = (-1, [])

    /// A trainer at initial weights. `inputs` are `[N, …]`, `targets` `[N, O]`, row-major.
    public init(
        _ network: Network, _ options: TrainingOptions, inputs: [Float], targets: [Float], weights: Weights,
        on backend: any Backend, _ precision: Precision
    ) throws {
        (self.network, self.options, self.backend, self.precision) = (network, options, backend, precision)
        count = inputs.count / network.input.count
        let size = options.batchSize
        arrays = try NetworkArrays(network, weights, on: backend, precision)
        data = (try backend.allocate(inputs.count, precision), try backend.allocate(targets.count, precision))
        try backend.write(inputs, to: data.x.all)
        try backend.write(targets, to: data.targets.all)
        batch = (
            try backend.allocate(size, precision), try backend.allocate(size, precision),
            try backend.allocate(size * network.input.count, precision),
            try backend.allocate(size * network.outputs, precision)
        )
        gather = try backend.compile(Self.gatherProgram(network, count, size), precision)
        gradient = try backend.compile(Self.gradientProgram(network, options.loss, size), precision)
        update = try backend.compile(
            options.optimizer.program(count: network.layout.count, weightDecay: options.weightDecay),
            precision)
        attacker = try options.attack.map {
            try Attacker($0, network, options.loss, batchSize: size, on: backend, precision)
        }
        attackRandom = RandomStream(seed: options.seed, purpose: "training attack")
        spareParameters = try backend.allocate(network.layout.count, precision)
        spareState = try backend.allocate(network.state.count, precision)
        moments = try options.optimizer.stateNames.map {
            (
                name: $0, current: try backend.allocate(network.layout.count, precision),
                spare: try backend.allocate(network.layout.count, precision)
            )
        }
        gradientVector = try backend.allocate(network.layout.count, precision)
        coefficients = try backend.allocate(2, precision)
        metrics = try backend.allocate(2 * max(1, options.stepsPerEpoch(count)), precision)
    }

    private static func gatherProgram(_ network: Network, _ count: Int, _ size: Int) -> Program {
        .trace { t in
            let index = t.input("index", [size])
            let x = t.input("all x", [count, network.input.count])
            let targets = t.input("all targets", [count, network.outputs])
            return [("x", x.gathered(at: index, axis: 0)), ("targets", targets.gathered(at: index, axis: 0))]
        }
    }

    private static func gradientProgram(_ network: Network, _ loss: Loss, _ size: Int) -> Program {
        .trace { t in
            network.declareTensors(in: t)
            let weights = t.input("weights", [size])
            let x = t.input("x", Shape([size] + network.input.dims))
            let (logits, updates) = network.apply(x, .training(weights: weights))
            let targets = t.input("targets", logits.shape)
            let total = loss.total(logits, targets, weights: weights)
            let right = sameTop(logits, targets)
            let parameters = network.layout.entries.map { t.input($0.name, $0.shape) }
            let gradients = t.vjp([(of: total, cotangent: total.filled(1))], to: parameters)
            return zip(network.layout.entries, gradients).map { ("gradient of \($0.name)", $1) }
                + updates.map { ("new \($0.0)", $0.1) }
                + [("loss", total), ("accuracy", (right * weights).sum())]
        }
    }

    /// 1 for every row `[B]` whose first greatest element is in the same place in both, else 0.
    private static func sameTop(_ a: Tensor, _ b: Tensor) -> Tensor {
        let (batch, count) = (a.shape[0], a.shape[1])
        // Places count down, so that the first of equals has the greatest number.
        let places = a.trace.constant((0..<count).map { Double(count - $0) }, [1, count])
        func first(_ x: Tensor) -> Tensor {
            let isBelow = x.max([1]).broadcast(to: x.shape).greater(than: x)
            return isBelow.select(x.filled(0), else: places.broadcast(to: x.shape)).max([1])
        }
        let (one, other) = (first(a), first(b))
        let differs = one.greater(than: other) + other.greater(than: one)
        return (differs * -1 + 1).reshaped([batch])
    }

    // MARK: Steps

    /// Steps of one pass over the data, and of the whole training.
    public var stepsPerEpoch: Int { options.stepsPerEpoch(count) }
    /// Steps of the whole training.
    public var totalSteps: Int { options.totalSteps(count) }
    /// Epochs done.
    public var epoch: Double { Double(step) / Double(stepsPerEpoch) }

    /// One step. Work may go on after it returns.
    public func advance() throws {
        let samples = samplesOfStep()
        let size = options.batchSize
        // Samples that only fill up the last batch repeat the first one and have weight zero.
        let filled = samples + [Int](repeating: samples[0], count: size - samples.count)
        try backend.write(filled.map(Double.init), to: batch.index.all)
        let share = 1 / Double(samples.count)
        try backend.write((0..<size).map { $0 < samples.count ? share : 0 }, to: batch.weights.all)
        try run(
            gather,
            [
                "index": batch.index.all, "all x": data.x.all, "all targets": data.targets.all,
                "x": batch.x.all, "targets": batch.targets.all,
            ])
        var bound = arrays.bound
        bound["x"] = batch.x.all
        bound["targets"] = batch.targets.all
        bound["weights"] = batch.weights.all
        if let attacker {
            bound["x"] = try attacker.run(batch.x.all, bound: bound, random: &attackRandom, samples: size)
        }
        for entry in network.layout.entries {
            bound["gradient of \(entry.name)"] = gradientVector[entry.range]
        }
        for entry in network.state.entries { bound["new \(entry.name)"] = spareState[entry.range] }
        if 2 * pending == metrics.count { try finishRecords() }
        bound["loss"] = metrics[2 * pending..<2 * pending + 1]
        bound["accuracy"] = metrics[2 * pending + 1..<2 * pending + 2]
        try run(gradient, bound)
        try applyUpdate()
        pending += 1
        step += 1
    }

    private func applyUpdate() throws {
        let rate = options.schedule.rate(at: epoch, of: options.epochs, stepsPerEpoch: stepsPerEpoch)
        try backend.write(options.optimizer.coefficients(rate: rate, step: step), to: coefficients.all)
        var bound = [
            "weights": arrays.parameters.all, "new weights": spareParameters.all,
            "gradient": gradientVector.all, "coefficients": coefficients.all,
        ]
        for moment in moments {
            bound[moment.name] = moment.current.all
            bound["new \(moment.name)"] = moment.spare.all
        }
        try run(update, bound)
        let (parameters, state) = (arrays.parameters, arrays.state)
        arrays = NetworkArrays(network, parameters: spareParameters, state: spareState)
        (spareParameters, spareState) = (parameters, state)
        moments = moments.map { (name: $0.name, current: $0.spare, spare: $0.current) }
    }

    private func run(_ executable: any Executable, _ bound: [String: DeviceSlice]) throws(BackendError) {
        try executable.run(
            inputs: executable.plan.inputs.map { bound[$0.name]! },
            outputs: executable.plan.outputs.map { bound[$0.name]! })
    }

    /// The samples of the next step: every epoch has an order of its own.
    private func samplesOfStep() -> [Int] {
        let epoch = step / stepsPerEpoch
        if order.epoch != epoch {
            var random = RandomStream(seed: options.seed, purpose: "order of epoch \(epoch)")
            order = (epoch, random.permutation(count))
        }
        let start = step % stepsPerEpoch * options.batchSize
        return Array(order.samples[start..<min(count, start + options.batchSize)])
    }

    /// Waits for the device and appends the records of steps that had none. Throws if training diverged.
    public func finishRecords() throws {
        if pending == 0 { return }
        let values = try backend.download(metrics[0..<2 * pending])
        for index in 0..<pending {
            let at = step - pending + index
            let start = at % stepsPerEpoch * options.batchSize
            let record = StepRecord(
                loss: values[2 * index], accuracy: values[2 * index + 1],
                samples: min(options.batchSize, count - start))
            guard record.loss.isFinite else { throw diverged("the loss of step \(at)", record.loss) }
            records.append(record)
        }
        pending = 0
    }

    private func diverged(_ what: String, _ value: Double) -> TrainingError {
        let text = value.isNaN ? "nan" : "\(value)"
        return TrainingError(
            "training diverged: \(what) is \(text); a lower learning rate or a warm-up may help")
    }

    // MARK: Checkpoints

    /// All that training goes on from. Throws if training diverged.
    public func checkpoint() throws -> Checkpoint {
        try finishRecords()
        let weights = try arrays.weights(backend)
        if let bad = (weights.parameters + weights.state).first(where: { !$0.isFinite }) {
            throw diverged("a weight after step \(step - 1)", bad)
        }
        return Checkpoint(
            step: step, attackPosition: attackRandom.position, weights: weights,
            optimizer: try moments.map { (name: $0.name, values: try backend.download($0.current.all)) })
    }

    /// Goes back, or on, to a checkpoint.
    public func restore(_ checkpoint: Checkpoint) throws {
        guard checkpoint.optimizer.map(\.name) == moments.map(\.name) else {
            throw TrainingError(
                "the checkpoint holds the optimiser vectors \(checkpoint.optimizer.map(\.name)), this optimiser "
                    + "keeps \(moments.map(\.name))")
        }
        step = checkpoint.step
        attackRandom.position = checkpoint.attackPosition
        try backend.write(checkpoint.weights.parameters, to: arrays.parameters.all)
        try backend.write(checkpoint.weights.state, to: arrays.state.all)
        for (moment, vector) in zip(moments, checkpoint.optimizer) {
            try backend.write(vector.values, to: moment.current.all)
        }
        pending = 0
        records = []
        order = (-1, [])
    }
}
