import Backend
import Data
import Graph

/// How strongly groups of parameters are coupled: the Frobenius norm of every block `A_ab` of an operator, and the trace of the
/// blocks on the diagonal, from products with random signs in one group at a time.
public struct BlockNorms: Sendable {
    /// `‖A_ab‖_F²`, `[groups, groups]` row-major: means over probes of `‖(A·z_b)_a‖²`, those of `ab` and `ba` taken together.
    public let squares: [Double]
    /// Standard errors of the squares.
    public let standardErrors: [Double]
    /// The trace of every group's own block.
    public let traces: [MeanEstimate]
    /// Products with the operator.
    public let products: Int

    /// Estimates all blocks.
    ///
    /// - Parameters:
    ///   - layout: of the operator's vectors.
    ///   - groups: groups of its tensors.
    ///   - progress: told the group that begins.
    public static func estimate(
        _ matrix: any LinearOperator, _ layout: ParameterLayout, groups: [ParameterLayout], probes: Int,
        seed: UInt64, progress: (_ group: Int) -> Void = { _ in }
    ) throws(BackendError) -> BlockNorms {
        precondition(layout.count == matrix.dimension, "a layout of another operator")
        let space = matrix.space, backend = space.backend
        let ranges = groups.map { group in group.entries.map { layout[$0.name]!.range } }
        let block = max(1, min(matrix.blockSize, probes))
        let vectors = try space.vectors(block), results = try space.vectors(block)
        // Samples of ‖(A·z_b)_a‖² by column b, then row a.
        var samples = groups.map { _ in groups.map { _ in [Double]() } }
        var traces = groups.map { _ in [Double]() }
        for column in groups.indices {
            progress(column)
            for first in stride(from: 0, to: probes, by: block) {
                let count = min(block, probes - first)
                var signs: [[Double]] = []
                for row in 0..<count {
                    var random = RandomStream(
                        seed: seed, purpose: "block probe \(first + row) of group \(column)")
                    var values = [Double](repeating: 0, count: space.dimension)
                    for range in ranges[column] {
                        values.replaceSubrange(range, with: random.rademachers(range.count))
                    }
                    try backend.write(values, to: space.row(row, of: vectors))
                    signs.append(values)
                }
                try matrix.apply(
                    (0..<count).map { space.row($0, of: vectors) },
                    into: (0..<count).map { space.row($0, of: results) })
                for row in 0..<count {
                    let product = try backend.download(space.row(row, of: results))
                    for target in groups.indices {
                        samples[column][target].append(sum(ranges[target]) { product[$0] * product[$0] })
                    }
                    traces[column].append(sum(ranges[column]) { signs[row][$0] * product[$0] })
                }
            }
        }
        var squares: [Double] = [], errors: [Double] = []
        for row in groups.indices {
            for column in groups.indices {
                let estimate = MeanEstimate(
                    samples[column][row] + (row == column ? [] : samples[row][column]))
                squares.append(estimate.mean)
                errors.append(estimate.standardError)
            }
        }
        return BlockNorms(
            squares: squares, standardErrors: errors, traces: traces.map { MeanEstimate($0) },
            products: probes * groups.count)
    }

    private static func sum(_ ranges: [Range<Int>], _ term: (Int) -> Double) -> Double {
        var sum = 0.0
        for range in ranges { for index in range { sum += term(index) } }
        return sum
    }
}
