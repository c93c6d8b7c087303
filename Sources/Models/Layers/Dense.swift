import Graph

/// `y = x·Wᵀ + b`, or in NTK parametrisation `y = σ_w/√d · x·Wᵀ + σ_b·b` with all of W and b of unit variance
/// (Jacot et al. 2018).
public struct Dense: Layer {
    /// The name in model files.
    public static let name = "dense"
    /// The argument of the short form.
    public static let shortArgument: String? = "units"

    let units: Int
    let hasBias: Bool
    let isNTK: Bool
    let weightStd: Double?, biasStd: Double?

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        units = try arguments.int("units")
        hasBias = try arguments.bool("bias", default: true)
        isNTK =
            try arguments.word("parametrization", default: "standard", among: ["standard", "ntk"]) == "ntk"
        weightStd = try arguments.optionalDouble("weight-std")
        biasStd = try arguments.optionalDouble("bias-std")
    }

    /// A dense layer with PyTorch's defaults.
    public init(units: Int, hasBias: Bool = true) {
        (self.units, self.hasBias, isNTK, weightStd, biasStd) = (units, hasBias, false, nil, nil)
    }

    /// A dense layer in either parametrisation.
    init(units: Int, hasBias: Bool, isNTK: Bool, weightStd: Double?, biasStd: Double?) {
        (self.units, self.hasBias, self.isNTK) = (units, hasBias, isNTK)
        (self.weightStd, self.biasStd) = (weightStd, biasStd)
    }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        var list: [(String, ArgumentValue)] = [("units", .int(units))]
        if !hasBias { list.append(("bias", .bool(false))) }
        if isNTK { list.append(("parametrization", .text("ntk"))) }
        if let weightStd { list.append(("weight-std", .double(weightStd))) }
        if let biasStd { list.append(("bias-std", .double(biasStd))) }
        return list
    }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 1 else {
            throw ModelError("dense takes flat samples, found \(input): put \"- flatten\" before it")
        }
        return [units]
    }

    /// Trainable tensors.
    public func parameters(for input: Shape) -> [LayerTensor] {
        let fanIn = Double(max(1, input.count))
        let weight = Fan.weight(fanIn, isNTK ? 1 : weightStd.map { $0 / fanIn.squareRoot() })
        let bias = Fan.bias(fanIn, isNTK ? 1 : biasStd)
        return [LayerTensor("weight", [units, input.count], weight)]
            + (hasBias ? [LayerTensor("bias", [units], bias)] : [])
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let fanIn = x.shape[1]
        let weight = scope.tensor("weight", [units, fanIn], in: x.trace)
        var y = x.matmul(weight, transposeB: true)
        if isNTK { y = y * ((weightStd ?? 1) / Double(fanIn).squareRoot()) }
        guard hasBias else { return y }
        let bias = scope.tensor("bias", [units], in: x.trace).reshaped([1, units])
        return y + (isNTK ? bias * (biasStd ?? 1) : bias).broadcast(to: y.shape)
    }
}

/// Initial distributions of weights and biases.
enum Fan {
    /// PyTorch's default, uniform on ±1/√fan-in, or a normal distribution.
    static func weight(_ fanIn: Double, _ std: Double?) -> Initializer {
        std.map { .normal(std: $0) } ?? .uniform(bound: 1 / fanIn.squareRoot())
    }

    /// PyTorch's default, uniform on ±1/√fan-in, or a normal distribution.
    static func bias(_ fanIn: Double, _ std: Double?) -> Initializer {
        std.map { $0 == 0 ? .constant(0) : .normal(std: $0) } ?? .uniform(bound: 1 / fanIn.squareRoot())
    }
}
