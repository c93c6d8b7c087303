import Graph

/// Batch normalisation over samples and pixels of each channel (Ioffe and Szegedy 2015), with PyTorch's running
/// statistics. Samples that only fill up a batch have weight zero and do not count.
public struct BatchNorm: Layer {
    /// The name in model files.
    public static let name = "batch-norm"

    let epsilon: Double, momentum: Double

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        epsilon = try arguments.double("epsilon", default: 1e-5)
        momentum = try arguments.double("momentum", default: 0.1)
    }

    /// PyTorch's defaults.
    public init() { (epsilon, momentum) = (1e-5, 0.1) }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        (epsilon == 1e-5 ? [] : [("epsilon", .double(epsilon))])
            + (momentum == 0.1 ? [] : [("momentum", .double(momentum))])
    }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        guard input.rank == 1 || input.rank == 3 else {
            throw ModelError("batch-norm takes [C] or [C, H, W], found \(input)")
        }
        return input
    }

    /// Trainable tensors.
    public func parameters(for input: Shape) -> [LayerTensor] {
        [LayerTensor("weight", [input[0]], .constant(1)), LayerTensor("bias", [input[0]], .constant(0))]
    }

    /// Running statistics.
    public func state(for input: Shape) -> [LayerTensor] {
        [
            LayerTensor("running_mean", [input[0]], .constant(0)),
            LayerTensor("running_var", [input[0]], .constant(1)),
        ]
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        let channels = x.shape[1]
        let row = Shape([1, channels] + x.shape.dims.dropFirst(2).map { _ in 1 })
        func tensor(_ name: String) -> Tensor { scope.tensor(name, [channels], in: x.trace) }
        func spread(_ tensor: Tensor) -> Tensor { tensor.reshaped(row).broadcast(to: x.shape) }

        var mean = tensor("running_mean"), variance = tensor("running_var")
        if case .training(let weights) = scope.mode {
            (mean, variance) = statistics(x, weights, mean, variance, scope)
        }
        let scale = (variance + epsilon).rsqrt()
        return (x - spread(mean)) * spread(scale) * spread(tensor("weight")) + spread(tensor("bias"))
    }

    /// Mean and variance of the batch; the running ones move towards them.
    private func statistics(
        _ x: Tensor, _ weights: Tensor, _ runningMean: Tensor, _ runningVariance: Tensor, _ scope: LayerScope
    ) -> (Tensor, Tensor) {
        let channels = x.shape[1], axes = Array(2..<x.shape.rank)
        let pixels = Double(x.shape.count / Swift.max(1, x.shape[0] * channels))
        /// Weighted mean over samples of the mean over pixels.
        func mean(_ value: Tensor) -> Tensor {
            let perSample = value.mean(axes).reshaped([x.shape[0], channels])
            return weights.reshaped([1, x.shape[0]]).matmul(perSample)
        }
        let row = Shape([1, channels] + axes.map { _ in 1 })
        let center = mean(x)
        let deviation = x - center.reshaped(row).broadcast(to: x.shape)
        let variance = mean(deviation * deviation)
        // Bessel's correction with the number of samples that count, 1/Σw².
        // 1 − 1/n is at least ½; a single value, whose variance is 0, must not divide by zero.
        let share = (weights * weights).sum() * (1 / pixels)
        let correction = (share * -1 + 1).maximum(share.filled(0.5)).reciprocal()
        let unbiased = correction.reshaped([1]).broadcast(to: [channels])
        func moved(_ running: Tensor, _ current: Tensor) -> Tensor {
            running * (1 - momentum) + current * momentum
        }
        scope.update("running_mean", to: moved(runningMean, center.reshaped([channels])))
        scope.update("running_var", to: moved(runningVariance, variance.reshaped([channels]) * unbiased))
        return (center.reshaped([channels]), variance.reshaped([channels]))
    }
}
