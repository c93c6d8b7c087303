import Foundation

/// Times at which a flow is looked at.
public enum TrainingTimes {
    /// 0, `count` times evenly spaced on a logarithmic axis from a tenth of the fastest mode's time constant `N/λmax` to ten
    /// times the slowest one's, and infinity. Eigenvalues at or below the cutoff are none.
    public static func grid(_ spectra: [KernelSpectrum], samples: Int, count: Int = 41) -> [Double] {
        let values = spectra.flatMap { $0.values[..<$0.rank] }
        guard let largest = values.max(), let smallest = values.min() else { return [0, .infinity] }
        let low = log(0.1 * Double(samples) / largest), high = log(10 * Double(samples) / smallest)
        let inner = (0..<count).map { exp(low + (high - low) * Double($0) / Double(max(1, count - 1))) }
        return [0] + inner + [.infinity]
    }

    /// The same in steps of gradient descent: whole numbers, each once, from 0; infinity only if every mode converges.
    public static func steps(
        _ spectra: [KernelSpectrum], samples: Int, learningRate: Double, count: Int = 41
    ) -> [Double] {
        let flow = grid(spectra, samples: samples, count: count)
        let top = spectra.map { $0.values.first ?? 0 }.max() ?? 0
        let isStable = learningRate < LearningRate.largestStable(lambdaMax: top, samples: samples)
        var steps: [Double] = []
        for time in flow where time.isFinite || isStable {
            // Beyond 2⁵³ whole numbers have gaps.
            let step = time.isFinite ? min((time / learningRate).rounded(), 0x1p53) : time
            if steps.last != step { steps.append(step) }
        }
        return steps
    }
}
