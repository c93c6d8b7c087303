import Graph

/// How a part of the kernel is computed.
public enum KernelAlgorithm: String, Sendable, CaseIterable, Codable {
    /// `(δ·δ')(a·a')`: no gradient of a sample is ever formed.
    case denseStructure = "dense structure"
    /// `Σ (δ_p·δ'_q)(patch_p·patch'_q)` over all pairs of positions of a convolution.
    case patchGrams = "patch grams"
    /// Per-sample gradient rows and a symmetric rank-k update.
    case jacobianRows = "jacobian rows"
    /// Gradient rows from one pass per sample, because the use of the parameter is unknown.
    case explicitColumns = "explicit columns"
}

/// What some parameters contribute to the kernel together, and the features of a sample that it takes.
struct KernelUnit {
    /// The parameters: one, or a dense weight and the bias that shares its cotangents.
    let names: [String]
    let algorithm: KernelAlgorithm
    /// Positions of a convolution's result; 1 elsewhere.
    let positions: Int
    /// Width of a cotangent (structure: at one position) or gradient row.
    let width: Int
    /// Width of an activation or patch; 0 without structure.
    let inputs: Int
    /// What a bias adds to the product of activations: the square of its factor.
    let bias: Double
    /// Whether one row stands for all outputs: their sum of products is that of these rows.
    var isMerged = false

    var rows: String { "rows of \(names[0])" }
    var activation: String { "activation of \(names[0])" }

    /// Elements for one sample with `cotangents` gradients.
    func elements(_ cotangents: Int) -> (rows: Int, activation: Int) {
        ((isMerged ? 1 : cotangents) * positions * width, positions * inputs)
    }

    /// Operations of the contraction for one pair of samples, and elements that it writes and reads besides.
    func pairCost(_ kind: KernelKind, _ outputs: Int) -> (flops: Double, elements: Double) {
        Self.pairCost(
            algorithm, isMerged ? .pseudo : kind, outputs, positions: positions, width: width, inputs: inputs)
    }

    /// The same before a unit is made, to choose its algorithm.
    static func pairCost(
        _ algorithm: KernelAlgorithm, _ kind: KernelKind, _ outputs: Int, positions: Int, width: Int,
        inputs: Int
    ) -> (flops: Double, elements: Double) {
        let o = Double(kind.cotangents(outputs)), pairs = kind == .full ? o * o : o
        let (d, w, k) = (Double(positions * positions), Double(width), Double(inputs))
        let entries = kind == .full ? o * o : kind == .diagonal ? o : 1
        switch algorithm {
        case .denseStructure: return (2 * (k + pairs * w), 3 * entries + 1)
        case .patchGrams: return (2 * d * (k + pairs * w), 3 * d * entries + d + entries)
        case .jacobianRows, .explicitColumns: return (2 * pairs * w, 2 * entries)
        }
    }

    /// The program that adds this unit's part to a tile between `n` and `m` samples; `isSymmetric` if they are the
    /// same. Inputs are `left …` and `right …` features and, unless this is the first part, `sum`.
    func contribution(
        _ kind: KernelKind, _ outputs: Int, _ n: Int, _ m: Int, isSymmetric: Bool, isFirst: Bool
    ) -> Program {
        .trace { t in
            let o = isMerged ? 1 : kind.cotangents(outputs)
            func pair(_ name: String, _ one: [Int]) -> (Tensor, Tensor) {
                let left = t.input("left \(name)", Shape([n] + one))
                return (left, isSymmetric ? left : t.input("right \(name)", Shape([m] + one)))
            }
            var block = gram(pair(rows, rowShape(kind, o)), kind, o)
            if inputs > 0 {
                let (a, b) = pair(activation, positions > 1 ? [positions, inputs] : [inputs])
                var gram = a.reshaped([n * positions, inputs]).matmul(
                    b.reshaped([m * positions, inputs]), transposeB: true)
                if bias != 0 { gram = gram + bias }
                let spread = gram.reshaped(spread(kind, n, m)).broadcast(to: block.shape)
                block = block * spread
            }
            let tile = kind.tile(n, m, outputs)
            block = positions > 1 ? block.sum(positionAxes(kind)).reshaped(tile) : block.reshaped(tile)
            return [("tile", isFirst ? block : block + t.input("sum", tile))]
        }
    }

    /// One sample's rows.
    func rowShape(_ kind: KernelKind, _ o: Int) -> [Int] {
        if positions == 1 { return [o, width] }
        switch kind {
        case .full, .diagonal: return [o, positions, width]
        case .trace, .mean, .pseudo: return [positions, o, width]
        }
    }

    /// Products of rows: `[n, o, d, m, q, e]`, `[o, n, d, m, e]` or `[n, d, m, e]`, without positions if there is one.
    private func gram(_ rows: (Tensor, Tensor), _ kind: KernelKind, _ o: Int) -> Tensor {
        let (a, b) = rows, (n, m) = (a.shape[0], b.shape[0]), d = positions
        switch kind {
        case .full:
            let y = a.reshaped([n * o * d, width]).matmul(b.reshaped([m * o * d, width]), transposeB: true)
            return y.reshaped(d > 1 ? [n, o, d, m, o, d] : [n, o, m, o])
        case .diagonal:
            func byOutput(_ x: Tensor) -> Tensor {
                let flat = x.reshaped([x.shape[0], o, d * width]).permuted([1, 0, 2])
                return flat.reshaped([o, x.shape[0] * d, width])
            }
            let y = byOutput(a).matmul(byOutput(b), transposeB: true)
            return y.reshaped(d > 1 ? [o, n, d, m, d] : [o, n, m])
        case .trace, .mean, .pseudo:
            let y = a.reshaped([n * d, o * width]).matmul(b.reshaped([m * d, o * width]), transposeB: true)
            return y.reshaped(d > 1 ? [n, d, m, d] : [n, m])
        }
    }

    /// The shape in which products of activations meet products of rows.
    private func spread(_ kind: KernelKind, _ n: Int, _ m: Int) -> Shape {
        let d = positions
        switch kind {
        case .full: return d > 1 ? [n, 1, d, m, 1, d] : [n, 1, m, 1]
        case .diagonal: return d > 1 ? [1, n, d, m, d] : [1, n, m]
        case .trace, .mean, .pseudo: return d > 1 ? [n, d, m, d] : [n, m]
        }
    }

    private func positionAxes(_ kind: KernelKind) -> [Int] {
        switch kind {
        case .full: [2, 5]
        case .diagonal: [2, 4]
        case .trace, .mean, .pseudo: [1, 3]
        }
    }
}
