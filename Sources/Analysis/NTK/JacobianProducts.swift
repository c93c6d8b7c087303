import Backend
import Graph
import Planner

/// Products with the Jacobian J of a model's outputs at samples, and with its transpose, without forming it.
///
/// Vectors have one element for every sample and output, or one for every sample, which then stands for a combination of
/// outputs: its `selector`. Several products are made in one pass over the samples; each is a lane.
final class JacobianProducts {
    /// Lanes of one pass.
    let width: Int
    /// Elements of a vector: `perSample` for each sample.
    let perSample: Int

    private let layout: ParameterLayout
    private let samples: EmpiricalNTK.Samples
    private let batch: Int
    private let bound: [String: DeviceSlice]
    private let backend: any Backend
    private let pull: Direction, push: Direction
    private let selectors: DeviceArray
    /// Vectors as a pass reads and writes them: `[batch][lane][sample]`. What the last batch has in common with the one
    /// before is zero in what is read.
    private let packed: DeviceArray, moved: DeviceArray
    /// Weight vectors of all lanes, `[parameter][lane][element]`: zeros, and two that take turns for sums.
    private let zero: DeviceArray, turns: [DeviceArray]

    /// Prepares products of `width` lanes. With selectors, a vector has one element per sample.
    init(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, bound: [String: DeviceSlice],
        _ samples: EmpiricalNTK.Samples, batchSize: Int, hasSelectors: Bool, width: Int, heldBytes: Int,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.layout, self.samples, self.bound, self.backend) = (layout, samples, bound, backend)
        self.width = width
        let batch = min(batchSize, samples.count)
        self.batch = batch
        let outputs = forward(1).outputs[0].shape[1]
        perSample = hasSelectors ? 1 : outputs
        let batches = (samples.count + batch - 1) / batch
        func direction(_ program: Program) throws(BackendError) -> Direction {
            try Direction(
                program, width: width, batches: batches, heldBytes: heldBytes / 2, on: backend, precision)
        }
        pull = try direction(Self.pull(forward(batch), layout, hasSelectors))
        push = try direction(Self.push(forward(batch), layout, hasSelectors))
        selectors = try backend.allocate(width * outputs, precision)
        packed = try backend.allocate(batches * width * batch * perSample, precision)
        moved = try backend.allocate(packed.count, precision)
        zero = try backend.allocate(width * layout.count, precision)
        turns = [
            try backend.allocate(width * layout.count, precision),
            try backend.allocate(width * layout.count, precision),
        ]
    }

    /// Adds `Jᵀ·vector` of a batch to a sum.
    private static func pull(_ forward: Program, _ layout: ParameterLayout, _ hasSelectors: Bool) -> Program {
        .trace { t in
            let logits = t.inline(forward, inputs: [:])[0], batch = logits.shape[0]
            var cotangent = t.input("vector", hasSelectors ? [batch, 1] : logits.shape)
            if hasSelectors {
                cotangent =
                    cotangent.broadcast(to: logits.shape)
                    * t.input("selector", [1, logits.shape[1]]).broadcast(to: logits.shape)
            }
            let gradients = t.vjp(
                [(of: logits, cotangent: cotangent)], to: layout.entries.map { t.input($0.name, $0.shape) })
            return zip(layout.entries, gradients).map {
                ("result \($0.name)", t.input("sum of \($0.name)", $0.shape) + $1)
            }
        }
    }

    /// `J·weights` of a batch.
    private static func push(_ forward: Program, _ layout: ParameterLayout, _ hasSelectors: Bool) -> Program {
        .trace { t in
            let logits = t.inline(forward, inputs: [:])[0]
            var moved = t.jvp(
                [logits],
                along: layout.entries.map {
                    (at: t.input($0.name, $0.shape), tangent: t.input("v of \($0.name)", $0.shape))
                })[0]
            if hasSelectors {
                moved = (moved * t.input("selector", [1, logits.shape[1]]).broadcast(to: logits.shape)).sum([
                    1
                ])
            }
            return [("moved", moved)]
        }
    }

    /// `results[l] = J·Jᵀ·vectors[l]`, where lane l sees outputs through its selector. There may be fewer vectors than
    /// lanes.
    func kernelProducts(
        _ vectors: [DeviceSlice], selectors rows: [Double], into results: [DeviceSlice]
    ) throws(BackendError) {
        try backend.write(
            rows + [Double](repeating: 0, count: selectors.count - rows.count), to: selectors.all)
        try exchange(vectors, packed) { part, inside throws(BackendError) in
            try backend.copy(part, to: inside)
        }
        let weights = try pulled()
        for index in 0..<batches {
            var bound = self.bound(index)
            for entry in layout.entries { bound["v of \(entry.name)"] = lanes(weights, entry) }
            bound["moved"] = batch(index, of: moved)
            try push.run(index, bound)
        }
        try exchange(results, moved) { part, inside throws(BackendError) in
            try backend.copy(inside, to: part)
        }
    }

    /// The sum over all batches of `Jᵀ·vector` for the packed vectors.
    private func pulled() throws(BackendError) -> DeviceArray {
        var sum = zero
        for index in 0..<batches {
            var bound = self.bound(index)
            let target = turns[index % 2]
            for entry in layout.entries {
                bound["sum of \(entry.name)"] = lanes(sum, entry)
                bound["result \(entry.name)"] = lanes(target, entry)
            }
            bound["vector"] = batch(index, of: packed)
            try pull.run(index, bound)
            sum = target
        }
        return sum
    }

    private var batches: Int { (samples.count + batch - 1) / batch }

    private func bound(_ index: Int) -> [String: DeviceSlice] {
        let inputs = samples.array.count / max(1, samples.count), first = start(index)
        var all = bound
        all["x"] = samples.array[first * inputs..<(first + batch) * inputs]
        all["selector"] = selectors.all
        return all
    }

    /// The last batch overlaps the one before.
    private func start(_ index: Int) -> Int { min(index * batch, samples.count - batch) }

    private func batch(_ index: Int, of packed: DeviceArray) -> DeviceSlice {
        let size = width * batch * perSample
        return packed[index * size..<(index + 1) * size]
    }

    private func lanes(_ array: DeviceArray, _ entry: ParameterLayout.Entry) -> DeviceSlice {
        array[width * entry.range.lowerBound..<width * entry.range.upperBound]
    }

    /// Copies between vectors and their places in the packed ones, batch by batch.
    private func exchange(
        _ vectors: [DeviceSlice], _ packed: DeviceArray,
        _ copy: (_ part: DeviceSlice, _ inside: DeviceSlice) throws(BackendError) -> Void
    ) throws(BackendError) {
        for index in 0..<batches {
            let skip = index * batch - start(index)
            let rows = index * batch * perSample..<(start(index) + batch) * perSample
            for (lane, vector) in vectors.enumerated() {
                let first = ((index * width + lane) * batch + skip) * perSample
                try copy(vector[rows], packed[first..<first + rows.count])
            }
        }
    }
}

/// One program over a batch for several lanes; what does not depend on them is held where there is memory.
private final class Direction {
    private let held: HeldValues?
    private let rest: (any Executable)?, whole: (any Executable)?

    init(
        _ program: Program, width: Int, batches: Int, heldBytes: Int, on backend: any Backend,
        _ precision: Precision
    ) throws(BackendError) {
        @Sendable func varies(_ name: String) -> Bool {
            name == "vector" || name == "selector" || name.hasPrefix("sum of ") || name.hasPrefix("v of ")
        }
        func compile(_ program: Program) throws(BackendError) -> any Executable {
            try backend.compile(
                width == 1 ? program : program.stacked(width, whatVariesWith: varies), precision)
        }
        held = try HeldValues(
            program, whatVariesWith: varies, batchCount: batches, most: heldBytes, on: backend, precision)
        rest = if let held { try compile(held.rest) } else { nil }
        whole = held?.holdsAll == true ? nil : try compile(program)
    }

    func run(_ batch: Int, _ bound: [String: DeviceSlice]) throws(BackendError) {
        if let held, let rest, let values = try held.values(of: batch, bound) {
            return try rest.run(bound.merging(values) { $1 })
        }
        guard let whole else {
            throw BackendError(.outOfMemory, "there is no memory for values that were to be held")
        }
        try whole.run(bound)
    }
}
