import Backend
import Data
import Graph
import Models
import Planner

/// The loss and accuracy of a network over a data set.
public struct Evaluation: Sendable {
    /// Mean loss.
    public let loss: Double
    /// Fraction of samples whose greatest logit is the label's; nil without labels.
    public let accuracy: Double?
    /// Logits, `[N, O]` row-major.
    public let logits: [Double]
}

/// Evaluates a network, clean or under attack, in batches whose size does not matter for the result.
public final class Evaluator {
    private let network: Network
    private let backend: any Backend
    private let precision: Precision
    private let loss: Loss
    /// Samples per batch: as asked for, or fewer if the device had too little memory for that.
    private var batchSize: Int
    /// Nil while it is made again with smaller batches, and if that failed.
    private var program: (any Executable)?
    private let x: DeviceArray, targets: DeviceArray, weights: DeviceArray
    private let labels: [Int]?
    private let count: Int
    private var attackers: [(attack: Attack, attacker: Attacker)] = []

    /// Uploads a data set. `targets` are one-hot labels or regression targets, `[N, O]` row-major.
    public init(
        _ network: Network, _ loss: Loss, inputs: [Double], targets: [Double], labels: [Int]?, batchSize: Int,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.network, self.loss, self.backend, self.precision) = (network, loss, backend, precision)
        self.labels = labels
        count = inputs.count / network.input.count
        self.batchSize = min(batchSize, count)
        let rows = SmallerBatches.rows(for: count, batchSize: self.batchSize)
        func upload(_ values: [Double], _ width: Int) throws(BackendError) -> DeviceArray {
            let array = try backend.allocate(rows * width, precision)
            try backend.write(values, to: array[0..<values.count])
            return array
        }
        x = try upload(inputs, network.input.count)
        self.targets = try upload(targets, network.outputs)
        weights = try upload([Double](repeating: 1 / Double(count), count: count), 1)
        try prepare(from: self.batchSize)
    }

    private func prepare(from batchSize: Int) throws(BackendError) {
        (program, attackers) = (nil, [])
        let (size, made) = try SmallerBatches.fit(batchSize, on: backend) { batch throws(BackendError) in
            try backend.compile(
                .trace { t in
                    network.declareTensors(in: t)
                    let x = t.input("x", Shape([batch] + network.input.dims))
                    let logits = network.apply(x, .evaluation).logits
                    let targets = t.input("targets", logits.shape)
                    let total = loss.total(logits, targets, weights: t.input("weights", [batch]))
                    return [("logits", logits), ("loss", total)]
                }, precision)
        }
        (self.batchSize, program) = (size, made)
    }

    /// Runs again with smaller batches if the device has too little memory: nothing here depends on their size.
    private func retrying<Result>(
        _ body: () throws(BackendError) -> Result
    ) throws(BackendError) -> Result {
        while true {
            do throws(BackendError) {
                if program == nil { try prepare(from: batchSize) }
                return try body()
            } catch {
                guard program != nil,
                    let smaller = SmallerBatches.next(after: error, batchSize, on: backend)
                else { throw error }
                try prepare(from: smaller)
            }
        }
    }

    /// Evaluates weights, on attacked inputs if an attack is given; `seed` decides its random starts.
    public func run(
        _ arrays: NetworkArrays, parameters: DeviceSlice? = nil, attack: Attack? = nil, seed: UInt64 = 0
    ) throws(BackendError) -> Evaluation {
        try retrying { () throws(BackendError) in
            try runOnce(arrays, parameters: parameters, attack: attack, seed: seed)
        }
    }

    private func runOnce(
        _ arrays: NetworkArrays, parameters: DeviceSlice?, attack: Attack?, seed: UInt64
    ) throws(BackendError) -> Evaluation {
        guard let program else { preconditionFailure("the program is made before it is run") }
        let logits = try backend.allocate(batchCount * batchSize * network.outputs, precision)
        let losses = try backend.allocate(batchCount, precision)
        var random = RandomStream(seed: seed, purpose: "attack start")
        let fixed = arrays.bound(parameters: parameters ?? arrays.parameters.all)
        for index in 0..<batchCount {
            var bound = fixed
            bound["x"] = rows(x, network.input.count, index)
            bound["targets"] = rows(targets, network.outputs, index)
            bound["weights"] = rows(weights, 1, index)
            if let attack { bound["x"] = try attackedBatch(index, fixed, attack, &random) }
            try program.run(
                inputs: program.plan.inputs.map { bound[$0.name]! },
                outputs: [rows(logits, network.outputs, index), losses[index..<index + 1]])
        }
        let values = try backend.download(logits[0..<count * network.outputs])
        let total = try backend.download(losses.all).reduce(0, +)
        return Evaluation(loss: total, accuracy: labels.map { accuracy(values, $0) }, logits: values)
    }

    /// The inputs of all samples after an attack at these weights, or at other trainable ones, `[N, …]` row-major.
    public func attacked(
        _ arrays: NetworkArrays, parameters: DeviceSlice? = nil, _ attack: Attack, seed: UInt64 = 0
    ) throws(BackendError) -> [Double] {
        try retrying { () throws(BackendError) in
            var random = RandomStream(seed: seed, purpose: "attack start")
            var values: [Double] = []
            let bound = arrays.bound(parameters: parameters ?? arrays.parameters.all)
            for index in 0..<batchCount {
                values += try backend.download(attackedBatch(index, bound, attack, &random))
            }
            return Array(values.prefix(count * network.input.count))
        }
    }

    private var batchCount: Int { (count + batchSize - 1) / batchSize }

    /// Rows of one batch of an array with `width` elements per sample.
    private func rows(_ array: DeviceArray, _ width: Int, _ index: Int) -> DeviceSlice {
        array[index * batchSize * width..<(index + 1) * batchSize * width]
    }

    private func attackedBatch(
        _ index: Int, _ bound: [String: DeviceSlice], _ attack: Attack, _ random: inout RandomStream
    ) throws(BackendError) -> DeviceSlice {
        var bound = bound
        bound["targets"] = rows(targets, network.outputs, index)
        return try attacker(attack).run(
            rows(x, network.input.count, index), bound: bound, random: &random,
            samples: min(batchSize, count - index * batchSize))
    }

    private func attacker(_ attack: Attack) throws(BackendError) -> Attacker {
        if let known = attackers.first(where: { $0.attack == attack }) { return known.attacker }
        let made = try Attacker(attack, network, loss, batchSize: batchSize, on: backend, precision)
        attackers.append((attack, made))
        return made
    }

    private func accuracy(_ logits: [Double], _ labels: [Int]) -> Double {
        let classes = network.outputs
        let correct = labels.enumerated().filter { sample, label in
            let row = logits[sample * classes..<(sample + 1) * classes]
            // The first of equal logits counts, as in NumPy's argmax; a NaN is never right.
            return row.allSatisfy { !$0.isNaN } && row.firstIndex(of: row.max()!)! - row.startIndex == label
        }
        return Double(correct.count) / Double(labels.count)
    }
}
