import Graph

/// Which entries of a tangent kernel, of N and M samples with O outputs each.
public enum KernelKind: String, Sendable, CaseIterable, Codable {
    /// `[N·O, M·O]` with index `n·O + o`.
    case full
    /// `[N, M]`: the sum over outputs of the diagonal blocks.
    case trace
    /// `[N, M]`: the mean over outputs of the diagonal blocks, which is the trace over O.
    case mean
    /// `[O, N, M]`: the block of every output with itself.
    case diagonal
    /// `[N, M]`: the kernel of the sum of all outputs (Mohamadi et al. 2023), which costs as much as one output.
    case pseudo

    /// Outputs whose gradients are needed.
    func cotangents(_ outputs: Int) -> Int { self == .pseudo ? 1 : outputs }

    /// Rows of the kernel for one sample.
    public func rows(_ outputs: Int) -> Int { self == .full ? outputs : 1 }

    /// Matrices one after the other.
    public func planes(_ outputs: Int) -> Int { self == .diagonal ? outputs : 1 }

    /// Shape of a tile between `n` and `m` samples.
    func tile(_ n: Int, _ m: Int, _ outputs: Int) -> Shape {
        switch self {
        case .full: [n, outputs, m, outputs]
        case .diagonal: [outputs, n, m]
        case .trace, .mean, .pseudo: [n, m]
        }
    }

    /// From the sum over parts to what goes into the kernel: `tile`, if it is not the sum itself, and `mirror`, its
    /// transpose.
    func finish(_ n: Int, _ m: Int, _ outputs: Int, hasMirror: Bool) -> Program {
        .trace { t in
            var tile = t.input("sum", tile(n, m, outputs))
            var results: [(String, Tensor)] = []
            if self == .mean {
                tile = tile * (1 / Double(outputs))
                results = [("tile", tile)]
            }
            if hasMirror {
                let block = rows(outputs), planes = planes(outputs)
                let transposed = tile.reshaped([planes, n * block, m * block]).permuted([0, 2, 1])
                results.append(("mirror", transposed))
            }
            return results
        }
    }
}
