import Backend

/// What is as accurate as was asked for.
public enum EigenpairAcceptance: String, CaseIterable, Codable, Sendable {
    /// Residuals: `‖A·x − λ·x‖ ≤ tolerance·|λ|`, which is what vectors need.
    case residuals
    /// Values: the proven bound of the error of λ, often `r²/gap`, is at most `tolerance·|λ|`. It takes fewer products, and vectors
    /// are less accurate. Where a bound cannot be proved, residuals decide.
    case values
}

extension EigenpairSearch {
    /// The residual, or the error, at which a value counts as found.
    func allowance(of value: Double) -> Double {
        max(identity.tolerance * abs(value), 16 * noise, identity.floor * counters.norm)
    }

    private var noise: Double { space.precision.epsilon * counters.norm }

    /// The wanted values among those locked and new ones, in their order, with residuals and what is known of the others.
    func listed(
        _ new: [Double], _ residuals: [Double], _ splits: [SpectrumSplit]
    ) -> (values: [Double], residuals: [Double], others: OtherValues) {
        let values = locked.values + new, all = locked.residuals + residuals
        let chosen = wanted.order(values).prefix(wanted.count)
        let extra = values.indices.filter { !chosen.contains($0) }.map { (values[$0], all[$0]) }
        var others = OtherValues()
        for split in splits {
            if split.isAbove {
                others.atMost = extra.reduce(split.place) { max($0, $1.0 + $1.1) }
            } else {
                others.atLeast = extra.reduce(split.place) { min($0, $1.0 - $1.1) }
            }
        }
        return (chosen.map { values[$0] }, chosen.map { all[$0] }, others)
    }

    /// Whether the values' errors decide, because they are parted from all others.
    func judgesValues(_ splits: [SpectrumSplit]) -> Bool {
        identity.acceptance == .values && !splits.isEmpty
    }

    /// Whether new pairs beside those locked are accurate enough, with room for some rounding (in ε‖A‖) of what follows.
    func areAccurate(
        _ new: [Double], _ residuals: [Double], _ splits: [SpectrumSplit], room: Double
    ) -> Bool {
        guard judgesValues(splits) else { return areSmall(residuals, of: new, room: room) }
        let (values, all, others) = listed(new, residuals.map { $0 + room * noise }, splits)
        return areKnown(values, all, others)
    }

    /// Whether residuals are small beside their values.
    func areSmall(_ residuals: [Double], of values: [Double], room: Double = 0) -> Bool {
        zip(values, residuals).allSatisfy { $1 <= allowance(of: $0) - room * noise }
    }

    /// Whether all errors of the values listed are known to be small.
    func areKnown(_ values: [Double], _ residuals: [Double], _ others: OtherValues) -> Bool {
        let errors = EigenvalueError.all(values, residuals, wanted, others: others, rounding: 0)
        return zip(values, errors).allSatisfy { $1.bound <= allowance(of: $0) }
    }
}
