import Foundation

/// The learning rate over time, with an optional linear warm-up.
public struct Schedule: Sendable, Codable, Equatable {
    /// Its shape after the warm-up.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// The base rate throughout.
        case constant
        /// Multiplied by `factor` at each milestone.
        case step
        /// Half a cosine from the base rate to zero.
        case cosine
    }

    /// Its shape.
    public var kind: Kind
    /// The base rate.
    public var rate: Double
    /// Epochs of linear growth from zero.
    public var warmup: Double
    /// Epochs at which `step` multiplies the rate, and by how much.
    public var milestones: [Double], factor: Double

    /// A schedule from its parts.
    public init(
        _ kind: Kind = .constant, rate: Double = 0.1, warmup: Double = 0, milestones: [Double] = [],
        factor: Double = 0.1
    ) {
        (self.kind, self.rate, self.warmup) = (kind, rate, warmup)
        (self.milestones, self.factor) = (milestones, factor)
    }

    /// The rate of the step that begins at `epoch`, in a training of `epochs`.
    public func rate(at epoch: Double, of epochs: Double, stepsPerEpoch: Int) -> Double {
        if epoch < warmup {
            // The first step already moves: step k of n has rate (k + 1)/n.
            return rate * min(1, (epoch * Double(stepsPerEpoch) + 1) / (warmup * Double(stepsPerEpoch)))
        }
        switch kind {
        case .constant:
            return rate
        case .step:
            // Milestones a rounding error away from the step's start count as reached.
            let passed = milestones.filter { epoch >= $0 - 1e-9 }.count
            return rate * pow(factor, Double(passed))
        case .cosine:
            let progress = min(1, max(0, (epoch - warmup) / max(epochs - warmup, .leastNonzeroMagnitude)))
            return rate * 0.5 * (1 + cos(Double.pi * progress))
        }
    }
}
