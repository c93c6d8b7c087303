import Graph

/// The traced computation of all features of a batch of samples, and how each parameter's part of the kernel follows.
struct FeatureProgram {
    let units: [KernelUnit]
    let outputs: Int
    /// Inputs `cotangent` `[o, B, O]`, `x` and the model's own; outputs are each unit's rows `[B, …]` and activations.
    let batched: Program
    /// The same for one sample and the parameters whose use is unknown; nil if there are none.
    let single: Program?

    init(units: [KernelUnit], outputs: Int, batched: Program, single: Program?) {
        (self.units, self.outputs, self.batched, self.single) = (units, outputs, batched, single)
    }

    init(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, batch: Int, kind: KernelKind,
        algorithm: KernelAlgorithm? = nil, balance: Double = KernelCost.usualBalance
    ) {
        var units: [KernelUnit] = []
        var outputs = 0
        let plain = Program.trace { trace in
            let logits = trace.inline(forward(batch), inputs: [:])[0]
            outputs = logits.shape[1]
            let seed = trace.input("cotangent", logits.shape)
            var parts = Parts(
                kind: kind, outputs: outputs, wanted: algorithm, balance: balance, seed: seed)
            let uses = EntryPoint.find(layout, of: logits, batch: batch)
            // An extent that happens to equal the batch size is no batch: it stays when the batch grows.
            let larger = Trace()
            let grown = EntryPoint.find(
                layout, of: larger.inline(forward(batch + 1), inputs: [:])[0], batch: batch + 1)
            let known = zip(uses, grown).map { uses, grown in
                !uses.isEmpty && algorithm != .explicitColumns
                    && (uses + grown).allSatisfy { $0.target != nil }
            }
            let targets = zip(uses, known).flatMap { $1 ? $0.compactMap(\.target) : [] }
            var cotangents = trace.vjp(
                [(of: logits, cotangent: seed)], to: targets)[...]
            for ((entry, uses), isKnown) in zip(zip(layout.entries, uses), known) {
                guard isKnown else {
                    // A parameter that is never used has a zero gradient; explicit columns find that too.
                    parts.addUnknown(entry)
                    continue
                }
                parts.add(entry, uses, Array(cotangents.prefix(uses.count)))
                cotangents = cotangents.dropFirst(uses.count)
            }
            units = parts.units
            return parts.made
        }
        self.units = units
        self.outputs = outputs
        batched = Self.bySample(plain, units, kind, outputs)
        let columns = units.filter { $0.algorithm == .explicitColumns }
        single =
            columns.isEmpty
            ? nil
            : Self.bySample(
                .trace { trace in
                    let logits = trace.inline(forward(1), inputs: [:])[0]
                    let seed = trace.input("cotangent", logits.shape)
                    let entries = columns.map { unit in layout.entries.first { $0.name == unit.names[0] }! }
                    let gradients = trace.vjp(
                        [(of: logits, cotangent: seed)], to: entries.map { trace.input($0.name, $0.shape) })
                    return zip(columns, gradients).map { ($0.rows, $1.reshaped([1, 1, $1.shape.count])) }
                }, columns, kind, outputs)
    }

    /// All cotangents in one pass, with each sample's features next to each other.
    private static func bySample(
        _ plain: Program, _ units: [KernelUnit], _ kind: KernelKind, _ outputs: Int
    ) -> Program {
        let o = kind.cotangents(outputs)
        let stacked = plain.stacked(o) { $0 == "cotangent" }
        let unit = Dictionary(uniqueKeysWithValues: units.map { ($0.rows, $0) })
        return .trace { trace in
            let values = trace.inline(stacked, inputs: [:])
            return zip(stacked.outputs, values).map { port, value in
                guard let unit = unit[port.name] else { return (port.name, value) }
                // Rows come as [o, B, d, w], unless they are zeros for every cotangent.
                let one = value.shape.dims
                if unit.isMerged { return (port.name, value) }
                let value =
                    one.count == 4 ? value : value.reshaped(Shape([1] + one)).broadcast(to: Shape([o] + one))
                let order =
                    unit.rowShape(kind, o).count == 2 || kind == .full || kind == .diagonal
                    ? [1, 0, 2, 3] : [1, 2, 0, 3]
                return (port.name, value.permuted(order))
            }
        }
    }
}

/// Collects units while a model is traced. Rows are `[B, positions, width]`.
private struct Parts {
    let kind: KernelKind, outputs: Int, wanted: KernelAlgorithm?
    /// Operations of a product that take as long as reading or writing one element.
    let balance: Double
    /// The cotangent of the outputs.
    let seed: Tensor
    private(set) var units: [KernelUnit] = []
    private(set) var made: [(String, Tensor)] = []
    /// Units of dense weights by the node of their cotangent.
    private var dense: [Int: Int] = [:]

    init(kind: KernelKind, outputs: Int, wanted: KernelAlgorithm?, balance: Double, seed: Tensor) {
        (self.kind, self.outputs, self.wanted, self.balance) = (kind, outputs, wanted, balance)
        self.seed = seed
    }

    mutating func addUnknown(_ entry: ParameterLayout.Entry) {
        units.append(
            KernelUnit(
                names: [entry.name], algorithm: .explicitColumns, positions: 1, width: entry.shape.count,
                inputs: 0,
                bias: 0))
    }

    mutating func add(_ entry: ParameterLayout.Entry, _ uses: [EntryPoint], _ cotangents: [Tensor]) {
        if uses.count == 1 {
            switch uses[0] {
            case .dense(let activation, _, _)
            where isCheaper(
                .denseStructure, 1, cotangents[0].shape[1], activation.shape[1], entry.shape.count):
                dense[cotangents[0].id] = units.count
                if kind == .trace || kind == .mean, let merged = merged(cotangents[0]) {
                    append([entry.name], .denseStructure, 1, merged, activation, isMerged: true)
                } else {
                    append([entry.name], .denseStructure, 1, cotangents[0], activation)
                }
                return
            case .convolution(let images, let result, let window)
            where window.groups == 1
                && isCheaper(
                    .patchGrams, result.shape[2] * result.shape[3], entry.shape[0],
                    entry.shape.count / max(1, entry.shape[0]), entry.shape.count):
                let y = cotangents[0].shape, positions = y[2] * y[3]
                let rows = cotangents[0].reshaped([y[0], y[1], positions]).permuted([0, 2, 1])
                append([entry.name], .patchGrams, positions, rows, patches(images, entry.shape, window))
                return
            case .broadcast(let result, let factor)
            where cotangents[0].shape.rank == 2 && entry.shape.count == result.shape[1]:
                // The bias of a dense layer: its rows are the cotangents that the weight has already.
                if let place = dense[cotangents[0].id] {
                    let unit = units[place]
                    units[place] = KernelUnit(
                        names: unit.names + [entry.name], algorithm: unit.algorithm, positions: 1,
                        width: unit.width, inputs: unit.inputs, bias: unit.bias + factor * factor,
                        isMerged: unit.isMerged)
                    return
                }
            default: break
            }
        }
        // Shared weights: the gradient is the sum over all uses.
        let rows = zip(uses, cotangents).map { $0.rows($1, parameter: entry.shape) }
        append([entry.name], .jacobianRows, 1, rows.dropFirst().reduce(rows[0], +), nil)
    }

    private mutating func append(
        _ names: [String], _ algorithm: KernelAlgorithm, _ positions: Int, _ rows: Tensor,
        _ activation: Tensor?, isMerged: Bool = false
    ) {
        let batch = rows.shape[0]
        let unit = KernelUnit(
            names: names, algorithm: algorithm, positions: positions,
            width: rows.shape.count / max(1, batch * positions),
            inputs: activation.map { $0.shape.count / max(1, batch * positions) } ?? 0, bias: 0,
            isMerged: isMerged)
        units.append(unit)
        made.append((unit.rows, rows.reshaped([batch, positions, unit.width])))
        if let activation { made.append((unit.activation, activation)) }
    }

    /// One row for all outputs of a cotangent `(seed·W) ⊙ slope`, as below the last layer of a network: output o has
    /// `W_o ⊙ slope`, and the sum of products over outputs is that of `slope ⊙ √ΣW_o²`. Nil for other cotangents.
    private func merged(_ cotangent: Tensor) -> Tensor? {
        let trace = cotangent.trace, node = trace.nodes[cotangent.id]
        guard case .mul = node.primitive else { return nil }
        for (product, slope) in [(Int(node.a), Int(node.b)), (Int(node.b), Int(node.a))] {
            let factor = trace.nodes[product]
            guard case .matmul(false, let transposed) = factor.primitive, Int(factor.a) == seed.id,
                factor.shape.rank == 2,
                !trace.reachable(from: [
                    Tensor(trace: trace, id: slope), Tensor(trace: trace, id: Int(factor.b)),
                ])[
                    seed.id]
            else { continue }
            let weights = Tensor(trace: trace, id: Int(factor.b))
            let norms = (weights * weights).sum([transposed ? 1 : 0]).sqrt()
            let width = cotangent.shape[1]
            return Tensor(trace: trace, id: slope)
                * norms.reshaped([1, width]).broadcast(to: cotangent.shape)
        }
        return nil
    }

    /// Whether structure costs less than rows of gradients, where elementwise work counts by the bytes it moves.
    private func isCheaper(
        _ algorithm: KernelAlgorithm, _ positions: Int, _ width: Int, _ inputs: Int, _ parameters: Int
    ) -> Bool {
        if let wanted, wanted != .explicitColumns { return wanted == algorithm }
        func cost(_ algorithm: KernelAlgorithm, _ width: Int) -> Double {
            let cost = KernelUnit.pairCost(
                algorithm, kind, outputs, positions: positions, width: width, inputs: inputs)
            return cost.flops + balance * cost.elements
        }
        return cost(algorithm, width) <= cost(.jacobianRows, parameters)
    }

    /// The values under the kernel at every position: `[B, positions, C·kh·kw]`, by a convolution with unit filters.
    private func patches(_ images: Tensor, _ filters: Shape, _ window: Window) -> Tensor {
        let count = filters.count / max(1, filters[0])
        let units = images.trace.constant(
            (0..<count * count).map { $0 % (count + 1) == 0 ? 1 : 0 },
            [count, filters[1], filters[2], filters[3]])
        let y = images.conv(units, window)
        return y.reshaped([y.shape[0], count, y.shape[2] * y.shape[3]]).permuted([0, 2, 1])
    }
}
