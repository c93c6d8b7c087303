import Backend
import Data
import Foundation
import Graph

/// The distribution of targets that a loss is the negative log-likelihood of.
public enum PredictiveDistribution: Sendable {
    /// Classes with the soft-max of the logits as probabilities; a target is a one-hot row.
    case categorical
    /// Independent normal targets of variance 1 around the logits.
    case normal

    /// A target row for a sample's logits.
    func draw(_ logits: ArraySlice<Double>, _ random: inout RandomStream) -> [Double] {
        switch self {
        case .normal: return zip(logits, random.normals(logits.count)).map(+)
        case .categorical:
            let top = logits.max() ?? 0
            let weights = logits.map { exp($0 - top) }
            var left = random.uniform() * weights.reduce(0, +)
            var chosen = weights.count - 1
            for (index, weight) in weights.enumerated() {
                left -= weight
                if left < 0 {
                    chosen = index
                    break
                }
            }
            return weights.indices.map { $0 == chosen ? 1 : 0 }
        }
    }
}

extension Risk {
    /// Draws targets for `Curvature.sampledFisher(draws:)` from the model's distribution at the risk's weights. Those of a
    /// sample depend on the seed, the draw and the sample alone.
    public func drawTargets(
        _ draws: Int, from distribution: PredictiveDistribution, seed: UInt64
    ) throws(BackendError) {
        let logits = try logits()
        let outputs = logits.count / data.sampleCount
        for draw in 0..<draws {
            var targets: [Double] = []
            for sample in 0..<data.sampleCount {
                var random = RandomStream(seed: seed, purpose: "target \(draw) of sample \(sample)")
                targets += distribution.draw(logits[sample * outputs..<(sample + 1) * outputs], &random)
            }
            try data.set(Curvature.drawnTargets(draw), targets)
        }
    }

    /// The logits of all samples at the risk's weights, `[N, O]` row-major.
    func logits() throws(BackendError) -> [Double] {
        let backend = space.backend
        let (size, program) = try SmallerBatches.fit(batchSize, on: backend) { size throws(BackendError) in
            try backend.compile(programs.forward(size), space.precision)
        }
        batchSize = size
        let output = program.plan.outputs[0].shape
        let results = try backend.allocate(output.count, space.precision)
        var bound = fixed
        for entry in programs.layout.entries { bound[entry.name] = parameters[entry.range] }
        var logits: [Double] = []
        for index in 0..<data.batchCount(of: size) {
            bound.merge(data.batch(index, of: size)) { $1 }
            bound[program.plan.outputs[0].name] = results.all
            try program.run(bound)
            logits += try backend.download(results.all)
        }
        return Array(logits.prefix(data.sampleCount * output[1]))
    }
}
