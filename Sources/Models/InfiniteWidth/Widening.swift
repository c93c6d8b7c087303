import Graph

extension Network {
    /// This network with `width` units or filters in every layer but the last, in NTK parametrisation with the given
    /// deviations (nil: each layer's own): a finite member of the family whose limit `InfiniteNetwork` is.
    public func widened(to width: Int, weightStd: Double?, biasStd: Double?) throws(ModelError) -> Network {
        let last = layers.lastIndex { $0 is Dense } ?? -1
        var widened: [any Layer] = [], shape = input
        for (index, layer) in layers.enumerated() {
            widened.append(
                try Self.widened(layer, shape, width, weightStd, biasStd, keepsUnits: index == last))
            shape = try layer.output(of: shape)
        }
        return try Network(input: input, layers: widened)
    }

    private static func widened(
        _ layer: any Layer, _ shape: Shape, _ width: Int, _ weightStd: Double?, _ biasStd: Double?,
        keepsUnits: Bool
    ) throws(ModelError) -> any Layer {
        switch layer {
        case let dense as Dense:
            let own = InfiniteNetwork.variances(dense, shape)
            return Dense(
                units: keepsUnits ? dense.units : width, hasBias: dense.hasBias, isNTK: true,
                weightStd: weightStd ?? own.weight.squareRoot(), biasStd: biasStd ?? own.bias.squareRoot())
        case let conv as Conv:
            let own = InfiniteNetwork.variances(conv, shape)
            return Conv(
                conv, filters: width, weightStd: weightStd ?? own.weight.squareRoot(),
                biasStd: biasStd ?? own.bias.squareRoot())
        case let block as Residual:
            func all(_ layers: [any Layer]) throws(ModelError) -> [any Layer] {
                var shape = shape, result: [any Layer] = []
                for layer in layers {
                    result.append(try widened(layer, shape, width, weightStd, biasStd, keepsUnits: false))
                    shape = try layer.output(of: shape)
                }
                return result
            }
            return Residual(body: try all(block.body), shortcut: try all(block.shortcut))
        default:
            return layer
        }
    }
}

extension InfiniteNetwork {
    /// `σ_w²` and `σ_b²` that a layer with these tensors stands for.
    static func variances(_ layer: Dense, _ input: Shape) -> (weight: Double, bias: Double) {
        variances(layer.parameters(for: input), isNTK: layer.isNTK, layer.weightStd, layer.biasStd)
    }

    /// The same for a convolution.
    static func variances(_ layer: Conv, _ input: Shape) -> (weight: Double, bias: Double) {
        variances(layer.parameters(for: input), isNTK: layer.isNTK, layer.weightStd, layer.biasStd)
    }

    private static func variances(
        _ tensors: [LayerTensor], isNTK: Bool, _ weightStd: Double?, _ biasStd: Double?
    ) -> (weight: Double, bias: Double) {
        func square(_ x: Double) -> Double { x * x }
        let fanIn = Double(tensors[0].shape.count / max(1, tensors[0].shape[0]))
        let weight = isNTK ? square(weightStd ?? 1) : fanIn * tensors[0].initializer.variance
        guard tensors.count > 1 else { return (weight, 0) }
        return (weight, isNTK ? square(biasStd ?? 1) : tensors[1].initializer.variance)
    }
}
