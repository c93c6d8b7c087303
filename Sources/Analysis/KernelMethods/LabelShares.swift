/// How much of the targets lies in the leading eigenvectors of a kernel: for every k, the share of `‖Y‖²` in the k + 1 of the
/// largest eigenvalues (Baratin et al. 2021, section 4; the targets' cumulative power of Canatar et al. 2021).
public struct LabelShares: Sendable {
    /// All outputs together, `[rows]`; not a number where all targets are zero. Of several systems, mode k of each counts.
    public let total: [Double]
    /// Every output for itself, `[O][rows]`; not a number for an output whose targets are zero.
    public let perOutput: [[Double]]

    /// The shares of values `[N, O]`, usually centred ones, in the eigenvectors of every system.
    public init(_ spectra: [KernelSpectrum], _ targets: KernelTargets, values: [Double]) {
        precondition(spectra.count == targets.planes, "\(spectra.count) spectra")
        let (rows, outputs) = (targets.rows, targets.outputs)
        var energies = [[Double]](repeating: [Double](repeating: 0, count: rows), count: outputs)
        var sum = [Double](repeating: 0, count: rows)
        for (plane, spectrum) in spectra.enumerated() {
            // One column per output: the others' targets are zero in it.
            let width = targets.kind == .diagonal ? 1 : outputs
            var columns = targets.columns(of: values, plane: plane)
            if targets.kind == .full {
                columns = (0..<rows * outputs).map { index in
                    let (row, output) = (index / outputs, index % outputs)
                    return row % outputs == output ? values[row] : 0
                }
            }
            let coefficients = spectrum.coefficients(of: columns, columns: width)
            for row in 0..<rows {
                let part = coefficients[row * width..<(row + 1) * width]
                let whole = part.reduce(0, +)
                sum[row] += targets.kind == .full ? whole * whole : part.reduce(0) { $0 + $1 * $1 }
                for (column, value) in part.enumerated() {
                    energies[targets.kind == .diagonal ? plane : column][row] = value * value
                }
            }
        }
        let squares = values.map { $0 * $0 }
        total = Self.cumulative(sum, of: squares.reduce(0, +))
        perOutput = energies.enumerated().map { output, energies in
            Self.cumulative(
                energies,
                of: stride(from: output, to: squares.count, by: outputs).reduce(0) { $0 + squares[$1] })
        }
    }

    /// How many of the leading modes hold at least a share of the targets; nil where the targets are zero.
    public func modes(holding share: Double) -> Int? {
        total.firstIndex { $0 >= share }.map { $0 + 1 }
    }

    private static func cumulative(_ energies: [Double], of total: Double) -> [Double] {
        var sum = 0.0
        return energies.map { energy in
            sum += energy
            return total > 0 ? min(1, sum / total) : .nan
        }
    }
}
