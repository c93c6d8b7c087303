/// When a measurement has been repeated often enough.
public struct SamplingRule: Sendable, Codable, Equatable {
    /// Fewest and most repeats.
    public var least: Int, most: Int
    /// The spread (middle half over median) at which the median counts as known.
    public var spread: Double
    /// Seconds after which repeats end in any case.
    public var budget: Double

    /// A rule from its parts.
    public init(least: Int = 7, most: Int = 300, spread: Double = 0.02, budget: Double = 2.5) {
        (self.least, self.most, self.spread, self.budget) = (least, most, spread, budget)
    }

    /// Whether these repeats, which took `elapsed` seconds together, are enough. The budget ends with three repeats
    /// at least, so that there is a middle one; twice the budget ends with what there is.
    public func isEnough(_ samples: [Double], elapsed: Double) -> Bool {
        if samples.isEmpty { return false }
        if elapsed >= 2 * budget || samples.count >= most { return true }
        if elapsed >= budget { return samples.count >= 3 }
        // Very short runs need a stretch of time as well, or they all see the same moment.
        return samples.count >= least && elapsed >= budget / 10 && Summary(samples).spread <= spread
    }

    /// Seconds of one run at a time: repeats until they are enough, after a warm-up.
    ///
    /// - Parameters:
    ///   - warm: seconds that earlier runs took already.
    ///   - time: makes one run and returns its seconds.
    public func sample(warm: Double = 0, _ time: () throws -> Double) rethrows -> [Double] {
        var warmUp = warm
        while warmUp < budget / 20 { warmUp += max(try time(), 1e-6) }
        var samples: [Double] = [], elapsed = 0.0
        repeat {
            samples.append(try time())
            elapsed += samples.last!
        } while !isEnough(samples, elapsed: elapsed)
        return samples
    }
}
