import Foundation
import Graph

/// The limit of a network whose hidden layers grow without bound, in NTK parametrisation: its pre-activations become
/// Gaussian processes with the NNGP kernel (Lee et al. 2018), and its tangent kernel becomes deterministic
/// (Jacot et al. 2018; Arora et al. 2019 for convolutions).
///
/// Both kernels are of one output; all outputs have the same and are independent.
public struct InfiniteNetwork: Sendable {
    /// Shape of one sample.
    public let input: Shape
    private let stages: [InfiniteStage]
    private let hasPixelPairs: Bool

    /// The limit of a network of dense and convolution layers with ReLU, erf or no activation, flattening or global
    /// average pooling, and residual blocks of these. Throws for any other layer.
    ///
    /// - Parameters:
    ///   - weightStd: `σ_w` of all layers; nil takes each layer's own: √fan-in times the deviation of its weights.
    ///   - biasStd: `σ_b` of all layers that have a bias; nil takes each layer's own.
    public init(_ network: Network, weightStd: Double? = nil, biasStd: Double? = nil) throws(ModelError) {
        input = network.input
        var builder = InfiniteBuilder(weightStd: weightStd, biasStd: biasStd)
        stages = try builder.stages(network.layers, network.input)
        guard builder.endsWithWeights else {
            throw ModelError("the infinite-width limit needs a network that ends with a dense layer")
        }
        hasPixelPairs = builder.pools
    }

    /// Kernels between samples `x` `[N, …]` and `y` `[M, …]`, both `[N, M]` row-major. Equal arguments are computed as
    /// one triangle.
    public func kernels(_ x: [Double], _ y: [Double]? = nil) -> (nngp: [Double], ntk: [Double]) {
        let size = max(1, input.count)
        let (rows, columns) = (x.count / size, (y ?? x).count / size)
        let left = (0..<rows).map { Array(x[$0 * size..<($0 + 1) * size]) }
        let right = y.map { y in (0..<columns).map { Array(y[$0 * size..<($0 + 1) * size]) } } ?? left
        let leftVariances = left.map(variances)
        let rightVariances = y == nil ? leftVariances : right.map(variances)
        let isSymmetric = y == nil
        var nngp = [Double](repeating: 0, count: rows * columns), ntk = nngp
        nngp.withUnsafeMutableBufferPointer { nngp in
            ntk.withUnsafeMutableBufferPointer { ntk in
                // Every row is one thread's.
                nonisolated(unsafe) let (nngp, ntk) = (nngp, ntk)
                DispatchQueue.concurrentPerform(iterations: rows) { i in
                    for j in 0..<(isSymmetric ? i + 1 : columns) {
                        var variances = Variances(leftVariances[i], rightVariances[j])
                        let end = stages.reduce(start(left[i], right[j])) {
                            $1.apply($0, &variances)
                        }
                        nngp[i * columns + j] = end.nngp[0]
                        ntk[i * columns + j] = end.ntk[0]
                    }
                }
            }
        }
        if isSymmetric {
            for i in 0..<rows {
                for j in 0..<i {
                    nngp[j * columns + i] = nngp[i * columns + j]
                    ntk[j * columns + i] = ntk[i * columns + j]
                }
            }
        }
        return (nngp, ntk)
    }

    /// What every activation meets as the variance of a sample's values.
    private func variances(_ x: [Double]) -> [[Double]] {
        var recorder = Variances()
        _ = stages.reduce(start(x, x)) { $1.apply($0, &recorder) }
        return recorder.recorded
    }

    /// Inner products of the inputs over channels, divided by their number.
    private func start(_ x: [Double], _ y: [Double]) -> Covariance {
        let channels = input[0], pixels = max(1, input.count) / max(1, channels)
        let scale = 1 / Double(channels)
        let places: Covariance.Places =
            input.rank == 1
            ? .flat
            : hasPixelPairs
                ? .pixelPairs(height: input[1], width: input[2]) : .pixels(height: input[1], width: input[2])
        var nngp = [Double](repeating: 0, count: places.count)
        for c in 0..<channels {
            for p in 0..<pixels {
                let a = x[c * pixels + p]
                if hasPixelPairs && input.rank == 3 {
                    for q in 0..<pixels { nngp[p * pixels + q] += a * y[c * pixels + q] * scale }
                } else {
                    nngp[p] += a * y[c * pixels + p] * scale
                }
            }
        }
        return Covariance(places: places, nngp: nngp, ntk: [Double](repeating: 0, count: places.count))
    }
}

/// Reads layers into stages.
private struct InfiniteBuilder {
    let weightStd: Double?, biasStd: Double?
    var pools = false
    /// What the values are at this place: a dense layer or convolution makes a Gaussian process with mean zero, which is
    /// what activations need; the inputs are given.
    private var isGaussian = false
    /// Flattened pixels stay apart until weights add them up.
    private var isFlattened = false
    var endsWithWeights = false

    init(weightStd: Double?, biasStd: Double?) { (self.weightStd, self.biasStd) = (weightStd, biasStd) }

    mutating func stages(_ layers: [any Layer], _ input: Shape) throws(ModelError) -> [InfiniteStage] {
        var shape = input, found: [InfiniteStage] = []
        for layer in layers {
            endsWithWeights = false
            switch layer {
            case let dense as Dense:
                let (weight, bias) = chosen(InfiniteNetwork.variances(dense, shape), hasBias: dense.hasBias)
                if isFlattened { found.append(.flatten) }
                found.append(.dense(weightVariance: weight, biasVariance: bias))
                (isGaussian, isFlattened, endsWithWeights) = (true, false, true)
            case let conv as Conv:
                let output = try conv.output(of: shape)
                let (weight, bias) = chosen(InfiniteNetwork.variances(conv, shape), hasBias: conv.hasBias)
                found.append(
                    .conv(
                        weightVariance: weight, biasVariance: bias, kernel: conv.kernel,
                        window: Window(stride: conv.stride, padding: conv.padding),
                        output: (output[1], output[2])))
                isGaussian = true
            case let activation as any GaussianMoments & Sendable:
                guard isGaussian else {
                    throw ModelError(
                        "no infinite-width limit is known here for \"\(type(of: layer).name)\" where no dense or conv "
                            + "layer comes directly before it")
                }
                found.append(.activation(activation))
                isGaussian = false
            case is Flatten:
                isFlattened = shape.rank == 3
            case is GlobalAveragePool:
                found.append(.pool)
                pools = true
            case let block as Residual:
                // Branches must agree on what pixels are, so they are added up before; an activation that follows
                // directly would need them apart.
                if isFlattened {
                    found.append(.flatten)
                    (isFlattened, isGaussian) = (false, false)
                }
                found.append(try sum(block, shape))
            default:
                throw ModelError(
                    "no infinite-width limit is known here for \"\(type(of: layer).name)\": use dense, conv, relu, erf, "
                        + "flatten, global-average-pool and residual")
            }
            shape = try layer.output(of: shape)
        }
        return found
    }

    /// Two branches. Their covariances add if one of them has weights of its own at its end: then it has mean zero
    /// whatever the other is.
    private mutating func sum(_ block: Residual, _ shape: Shape) throws(ModelError) -> InfiniteStage {
        let wasGaussian = isGaussian
        let body = try stages(block.body, shape)
        let (bodyIsGaussian, bodyHasWeights) = (isGaussian, endsWithWeights || lastIsConv(block.body))
        isGaussian = wasGaussian
        let shortcut = try stages(block.shortcut, shape)
        guard bodyHasWeights || lastIsConv(block.shortcut) || endsWithWeights else {
            throw ModelError(
                "the infinite-width limit of a residual block needs a branch that ends with weights")
        }
        isGaussian = bodyIsGaussian && isGaussian
        endsWithWeights = false
        return .sum(body, shortcut)
    }

    private func lastIsConv(_ layers: [any Layer]) -> Bool { layers.last is Conv }

    /// The layer's own variances, unless all layers were given others.
    private func chosen(_ own: (weight: Double, bias: Double), hasBias: Bool) -> (Double, Double) {
        (weightStd.map { $0 * $0 } ?? own.weight, hasBias ? biasStd.map { $0 * $0 } ?? own.bias : 0)
    }
}
