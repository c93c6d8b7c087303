import Graph

/// Where a parameter enters a model, and what its per-sample gradient is made of.
enum EntryPoint {
    /// `x·Wᵀ` (or `x·W`): the gradient of sample n is the outer product of its activation and cotangent.
    case dense(activation: Tensor, product: Tensor, isTransposed: Bool)
    /// Filters of a convolution.
    case convolution(images: Tensor, result: Tensor, window: Window)
    /// Repeated over samples, for example a bias or a scale; perhaps multiplied by a constant before.
    case broadcast(result: Tensor, factor: Double)
    /// Anything else: gradients are had one sample at a time.
    case unknown

    /// The value whose cotangent the gradient needs.
    var target: Tensor? {
        switch self {
        case .dense(_, let product, _): product
        case .convolution(_, let result, _): result
        case .broadcast(let result, _): result
        case .unknown: nil
        }
    }

    /// All uses of each parameter in a model traced over `batch` samples.
    static func find(_ layout: ParameterLayout, of logits: Tensor, batch: Int) -> [[EntryPoint]] {
        let needed = logits.trace.reachable(from: [logits])
        return layout.entries.map {
            find(logits.trace.input($0.name, $0.shape), batch: batch, needed: needed)
        }
    }

    private static func find(_ parameter: Tensor, batch: Int, needed: [Bool]) -> [EntryPoint] {
        let trace = parameter.trace
        var found: [EntryPoint] = []
        // Values that are the parameter reshaped and multiplied by a constant.
        var forms = [(tensor: parameter, factor: 1.0)]
        while let form = forms.popLast() {
            for id in form.tensor.id + 1..<needed.count where needed[id] {
                let node = trace.nodes[id]
                guard node.operands.contains(form.tensor.id) else { continue }
                let result = Tensor(trace: trace, id: id)
                switch node.primitive {
                case .reshape:
                    forms.append((result, form.factor))
                case .mul where fill(trace, node, besides: form.tensor.id) != nil:
                    forms.append((result, form.factor * fill(trace, node, besides: form.tensor.id)!))
                default:
                    found.append(classify(node, result, form, batch))
                }
            }
        }
        return found
    }

    private static func classify(
        _ node: Node, _ result: Tensor, _ form: (tensor: Tensor, factor: Double), _ batch: Int
    ) -> EntryPoint {
        let trace = result.trace
        let isOnlyOperandB = Int(node.b) == form.tensor.id && node.a != node.b
        switch node.primitive {
        case .matmul(let transposeA, let transposeB)
        where isOnlyOperandB && form.factor == 1 && !transposeA && node.shape.rank == 2
            && node.shape[0] == batch:
            return .dense(
                activation: Tensor(trace: trace, id: Int(node.a)), product: result, isTransposed: transposeB)
        case .conv(let window) where isOnlyOperandB && form.factor == 1 && node.shape[0] == batch:
            return .convolution(images: Tensor(trace: trace, id: Int(node.a)), result: result, window: window)
        case .broadcast where form.tensor.shape[0] == 1 && node.shape[0] == batch:
            return .broadcast(result: result, factor: form.factor)
        default:
            return .unknown
        }
    }

    /// The constant that a product multiplies the given operand with, or nil.
    private static func fill(_ trace: Trace, _ node: Node, besides id: Int) -> Double? {
        let other = Int(node.a) == id ? Int(node.b) : Int(node.a)
        if case .constant(.fill(let value)) = trace.nodes[other].primitive { return value }
        return nil
    }

    /// Per-sample gradients `[B, P]` of this use from the cotangent `[B, …]` at its target.
    func rows(_ cotangent: Tensor, parameter: Shape) -> Tensor {
        let batch = cotangent.shape[0], count = parameter.count
        switch self {
        case .dense(let activation, _, let isTransposed):
            let (h, k) = (cotangent.shape[1], activation.shape[1])
            let outer =
                isTransposed
                ? cotangent.reshaped([batch, h, 1]).matmul(activation.reshaped([batch, 1, k]))
                : activation.reshaped([batch, k, 1]).matmul(cotangent.reshaped([batch, 1, h]))
            return outer.reshaped([batch, count])
        case .convolution(let images, _, let window):
            // Samples become groups: one filter gradient for each.
            let (x, y) = (images.shape, cotangent.shape)
            let grouped = Window(
                stride: (window.strideH, window.strideW), padding: (window.paddingH, window.paddingW),
                groups: window.groups * batch)
            return images.reshaped([1, batch * x[1], x[2], x[3]])
                .wgrad(
                    cotangent.reshaped([1, batch * y[1], y[2], y[3]]), grouped,
                    filters: [batch * parameter[0], parameter[1], parameter[2], parameter[3]]
                ).reshaped([batch, count])
        case .broadcast(let result, let factor):
            let trace = result.trace
            let source = trace.nodes[Int(trace.nodes[result.id].a)].shape
            let repeated = (1..<source.rank).filter { source[$0] != result.shape[$0] }
            return (cotangent.sum(repeated) * factor).reshaped([batch, count])
        case .unknown:
            preconditionFailure("an unknown use has no rows")
        }
    }
}
