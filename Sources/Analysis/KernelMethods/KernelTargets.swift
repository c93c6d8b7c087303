/// How values of samples, `[N, O]`, stand beside a kernel of one kind: as the columns of one or several systems.
///
/// | kind | systems | rows | columns |
/// |---|---|---|---|
/// | `full` | 1 | N·O, index `n·O + o` | 1 |
/// | `trace`, `mean`, `pseudo` | 1 | N | O: one kernel for all outputs |
/// | `diagonal` | O | N | 1: every output for itself |
public struct KernelTargets: Sendable, Equatable {
    /// Which entries the kernel has.
    public let kind: KernelKind
    /// Number of samples N and of outputs O.
    public let samples: Int, outputs: Int

    /// The arrangement of N samples with O outputs.
    public init(_ kind: KernelKind, samples: Int, outputs: Int) {
        (self.kind, self.samples, self.outputs) = (kind, samples, outputs)
    }

    /// Systems, each with a matrix of its own.
    public var planes: Int { kind.planes(outputs) }
    /// Rows of a system.
    public var rows: Int { samples * kind.rows(outputs) }
    /// Columns of a system.
    public var columns: Int { kind == .full || kind == .diagonal ? 1 : outputs }
    /// Samples are centred within this many interleaved groups of rows.
    public var groups: Int { kind.rows(outputs) }

    /// What the kernel is multiplied by to stand for one output: 1/O for `trace`, which then is `mean`, and for `pseudo`,
    /// whose sum of outputs has 1/√O in Mohamadi et al. 2023, equation 3; else 1.
    public var scale: Double { kind == .trace || kind == .pseudo ? 1 / Double(outputs) : 1 }

    /// The columns `[rows, columns]` of a system from values `[N, O]`.
    public func columns(of values: [Double], plane: Int) -> [Double] {
        precondition(
            values.count == samples * outputs, "\(values.count) values of \(samples)×\(outputs) outputs")
        if kind != .diagonal { return values }
        return (0..<samples).map { values[$0 * outputs + plane] }
    }

    /// Puts the columns of a system to their places in values `[N, O]`.
    public func place(_ columns: [Double], plane: Int, in values: inout [Double]) {
        if kind != .diagonal {
            values = columns
        } else {
            for sample in 0..<samples { values[sample * outputs + plane] = columns[sample] }
        }
    }

    /// Values `[N, O]` less the mean over samples of every output.
    public func centred(_ values: [Double]) -> [Double] {
        var result = values
        for output in 0..<outputs {
            let mean =
                (0..<samples).reduce(0.0) { $0 + values[$1 * outputs + output] } / Double(max(1, samples))
            for sample in 0..<samples { result[sample * outputs + output] -= mean }
        }
        return result
    }
}
