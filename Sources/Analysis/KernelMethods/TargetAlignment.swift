import Backend

/// Kernel-target alignment `⟨K, YYᵀ⟩/(‖K‖·‖YYᵀ‖)` (Cristianini et al. 2001), with Frobenius products; of several systems, that
/// of the block-diagonal matrices they make.
public struct TargetAlignment: Sendable {
    private var inner = 0.0, kernelSquares = 0.0, targetSquares = 0.0
    /// What rounding leaves of a kernel's norm where it should be zero.
    private var noise = 0.0

    /// Nothing yet.
    public init() {}

    /// In [0, 1] for positive semi-definite kernels; nil where the kernel or the targets are zero, or nothing but
    /// rounding is left of them once they are centred.
    public var value: Double? {
        kernelSquares > noise * noise && targetSquares > 0
            ? inner / (kernelSquares.squareRoot() * targetSquares.squareRoot()) : nil
    }

    /// Takes in a kernel `[n, n]` and targets `[n, columns]`.
    ///
    /// With `groups`, the kernel is centred (Cortes et al. 2012, equation 1) within that many interleaved groups of rows, one
    /// for every output of a full kernel; the targets must be centred already, as `KernelTargets.centred` does. `epsilon` is the
    /// precision of the kernel's entries.
    public mutating func add(
        _ kernel: [Double], _ n: Int, targets: [Double], columns: Int, centredIn groups: Int? = nil,
        epsilon: Double = .ulpOfOne
    ) {
        precondition(kernel.count == n * n && targets.count == n * columns, "\(targets.count) targets")
        let product = HostLinearAlgebra.product(kernel, targets, n, n, columns)
        inner += zip(product, targets).reduce(0) { $0 + $1.0 * $1.1 }
        let gram = HostLinearAlgebra.product(targets, targets, columns, n, columns, transposeA: true)
        targetSquares += gram.reduce(0) { $0 + $1 * $1 }
        guard let groups else {
            kernelSquares += Self.squares(kernel, n)
            return
        }
        kernelSquares += Self.centredSquares(kernel, n, groups)
        noise += 16 * Double(n).squareRoot() * epsilon * Self.squares(kernel, n).squareRoot()
    }

    private static func squares(_ kernel: [Double], _ n: Int) -> Double {
        kernel.withUnsafeBufferPointer { kernel in
            (0..<n).reduce(0) { total, row in
                var sum = 0.0
                for column in 0..<n { sum += kernel[row * n + column] * kernel[row * n + column] }
                return total + sum
            }
        }
    }

    /// `‖HKH‖²` without a second matrix.
    private static func centredSquares(_ kernel: [Double], _ n: Int, _ groups: Int) -> Double {
        let size = Double(n / max(1, groups))
        return kernel.withUnsafeBufferPointer { kernel in
            // Means over the samples of a group of columns, and over both.
            var means = [Double](repeating: 0, count: n * groups)
            var both = [Double](repeating: 0, count: groups * groups)
            for row in 0..<n {
                for column in 0..<n {
                    means[row * groups + column % groups] += kernel[row * n + column] / size
                }
                for group in 0..<groups {
                    both[row % groups * groups + group] += means[row * groups + group] / size
                }
            }
            return (0..<n).reduce(0) { total, row in
                var sum = 0.0
                for column in 0..<n {
                    let (g, h) = (row % groups, column % groups)
                    let value =
                        kernel[row * n + column] - means[row * groups + h] - means[column * groups + g]
                        + both[g * groups + h]
                    sum += value * value
                }
                return total + sum
            }
        }
    }
}
