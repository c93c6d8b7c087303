import Graph

/// Some parameters in a row of a gradient, and the features that hold them: `[N, o, width]`.
struct ParameterChunk: Hashable {
    /// Most parameters of a chunk. It is no choice: sums end at the bounds of chunks, so it is part of the result.
    static let width = 4096

    let name: String
    /// Indices in the flat vector of parameters.
    let parameters: Range<Int>
}

extension FeatureProgram {
    /// Gradient rows of all parameters, cut into chunks: every chunk is an output of its own, and no row is ever needed as
    /// a whole.
    static func chunks(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, batch: Int, kind: KernelKind
    ) -> (program: FeatureProgram, chunks: [ParameterChunk]) {
        let program = FeatureProgram(forward, layout, batch: batch, kind: kind, algorithm: .jacobianRows)
        var chunks: [ParameterChunk] = [], parts: [String: [(name: String, columns: Range<Int>)]] = [:]
        for (entry, unit) in zip(layout.entries, program.units) {
            precondition(
                unit.names == [entry.name] && unit.width == entry.shape.count, "rows of \(unit.names)")
            for first in stride(from: 0, to: unit.width, by: ParameterChunk.width) {
                let columns = first..<min(first + ParameterChunk.width, unit.width)
                let name = "\(unit.rows) from \(first)"
                chunks.append(
                    ParameterChunk(
                        name: name,
                        parameters: entry.offset + columns.lowerBound..<entry.offset + columns.upperBound))
                parts[unit.rows, default: []].append((name, columns))
            }
        }
        return (FeatureProgram(program, parts), chunks)
    }

    private init(_ whole: FeatureProgram, _ parts: [String: [(name: String, columns: Range<Int>)]]) {
        func cut(_ program: Program) -> Program {
            .trace { trace in
                zip(program.outputs, trace.inline(program, inputs: [:])).flatMap { port, value in
                    parts[port.name]!.map { part in
                        var starts = value.shape.dims.map { _ in 0 }
                        starts[starts.count - 1] = part.columns.lowerBound
                        var shape = value.shape
                        shape[-1] = part.columns.count
                        return (part.name, value.sliced(starts: starts, shape: shape))
                    }
                }
            }
        }
        self.init(
            units: whole.units, outputs: whole.outputs, batched: cut(whole.batched),
            single: whole.single.map(cut))
    }
}
