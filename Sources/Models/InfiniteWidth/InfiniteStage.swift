import Graph

/// What a layer does to the kernels of a pair when its width goes to infinity.
enum InfiniteStage: Sendable {
    /// A layer of weights on single values: `σ_w²·k + σ_b²`.
    case dense(weightVariance: Double, biasVariance: Double)
    /// The same on patches: the mean over kernel positions.
    case conv(
        weightVariance: Double, biasVariance: Double, kernel: (Int, Int), window: Window, output: (Int, Int))
    /// An activation.
    case activation(any GaussianMoments & Sendable)
    /// A dense layer sees the mean over pixels of independent weights.
    case flatten
    /// The mean over all pixels.
    case pool
    /// Two branches with weights of their own; kernels of independent parts add.
    case sum([InfiniteStage], [InfiniteStage])

    /// The kernels of a pair after this stage. Activations ask `variances` for what the pair's two samples have at
    /// their own places.
    func apply(_ k: Covariance, _ variances: inout Variances) -> Covariance {
        var k = k
        switch self {
        case .dense(let weight, let bias):
            k.update { _, nngp, ntk in
                let next = weight * nngp + bias
                return (next, next + weight * ntk)
            }
        case .conv(let weight, let bias, let kernel, let window, let output):
            k = PatchMean(kernel: kernel, window: window, output: output).apply(k)
            k.update { _, nngp, ntk in
                let next = weight * nngp + bias
                return (next, next + weight * ntk)
            }
        case .activation(let function):
            let (left, right) = variances.next(k)
            let pixels = left.count
            let isPairs = if case .pixelPairs = k.places { true } else { false }
            k.update { place, nngp, ntk in
                let (p, q) = isPairs ? (place / pixels, place % pixels) : (place, place)
                let (value, slope) = function.moments(left[p], right[q], nngp)
                return (value, slope * ntk)
            }
        case .flatten:
            k = k.flattened()
        case .pool:
            k = k.pooled()
        case .sum(let first, let second):
            let a = first.reduce(k) { $1.apply($0, &variances) }
            let b = second.reduce(k) { $1.apply($0, &variances) }
            k = a
            k.update { place, nngp, ntk in (nngp + b.nngp[place], ntk + b.ntk[place]) }
        }
        return k
    }
}

/// The variances that activations ask for, in their order: put down while a sample is paired with itself, read
/// when it is paired with others.
struct Variances {
    private var left: [[Double]], right: [[Double]]
    private let isRecording: Bool
    private var position = 0

    /// Puts down what it is asked for.
    init() { (left, right, isRecording) = ([], [], true) }

    /// Of two samples.
    init(_ left: [[Double]], _ right: [[Double]]) {
        (self.left, self.right, isRecording) = (left, right, false)
    }

    /// What was put down: for every activation the variance at every place.
    var recorded: [[Double]] { left }

    mutating func next(_ k: Covariance) -> ([Double], [Double]) {
        if isRecording {
            left.append(k.diagonal)
            return (k.diagonal, k.diagonal)
        }
        defer { position += 1 }
        return (left[position], right[position])
    }
}

/// The mean of a kernel over the places of a convolution's patches; padding counts as zeros.
struct PatchMean {
    let kernel: (Int, Int), window: Window, output: (Int, Int)

    func apply(_ k: Covariance) -> Covariance {
        switch k.places {
        case .flat: return k
        case .pixels(let height, let width):
            var result = Covariance(
                places: .pixels(height: output.0, width: output.1),
                nngp: [Double](repeating: 0, count: output.0 * output.1),
                ntk: [Double](repeating: 0, count: output.0 * output.1))
            for p in 0..<output.0 * output.1 {
                for tap in 0..<kernel.0 * kernel.1 {
                    guard let from = source(p, tap, height, width) else { continue }
                    result.nngp[p] += k.nngp[from]
                    result.ntk[p] += k.ntk[from]
                }
            }
            return scaled(result)
        case .pixelPairs(let height, let width):
            let pixels = output.0 * output.1
            var result = Covariance(
                places: .pixelPairs(height: output.0, width: output.1),
                nngp: [Double](repeating: 0, count: pixels * pixels),
                ntk: [Double](repeating: 0, count: pixels * pixels))
            for tap in 0..<kernel.0 * kernel.1 {
                let sources = (0..<pixels).map { source($0, tap, height, width) }
                for p in 0..<pixels {
                    guard let row = sources[p] else { continue }
                    for q in 0..<pixels {
                        guard let column = sources[q] else { continue }
                        result.nngp[p * pixels + q] += k.nngp[row * height * width + column]
                        result.ntk[p * pixels + q] += k.ntk[row * height * width + column]
                    }
                }
            }
            return scaled(result)
        }
    }

    private func scaled(_ k: Covariance) -> Covariance {
        let scale = 1 / Double(kernel.0 * kernel.1)
        var k = k
        k.update { _, nngp, ntk in (nngp * scale, ntk * scale) }
        return k
    }

    /// The pixel that a kernel position reads for output position `p`; nil for padding.
    private func source(_ p: Int, _ tap: Int, _ height: Int, _ width: Int) -> Int? {
        let y = p / output.1 * window.strideH + tap / kernel.1 - window.paddingH
        let x = p % output.1 * window.strideW + tap % kernel.1 - window.paddingW
        return (0..<height).contains(y) && (0..<width).contains(x) ? y * width + x : nil
    }
}
