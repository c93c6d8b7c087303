import Backend

/// A place that parts the values found at an end of the spectrum from all others, and what is left to show for it.
///
/// In the basis V of a factorisation and its complement, A is `[[T, Cᵀ], [C, B]]`. Let μ lie below the values found and κ be the
/// largest eigenvalue of `C·(μ − T)⁻¹·Cᵀ`, or 0 if that is negative. If no eigenvalue of B exceeds μ − κ, the Schur complement of T − μ is negative, and A
/// has exactly as many eigenvalues above μ as T (inertia is additive: Haynsworth 1968). What the first vector of V hid, copies
/// included, would be in B. At the other end signs are turned round. Locked pairs beside T couple by their residuals.
struct SpectrumSplit {
    /// Whether the values found lie above the place, or below it.
    let isAbove: Bool
    /// μ: between the last value found and the Ritz value that comes next.
    let place: Double
    /// μ − κ: B may not reach beyond it.
    let limit: Double

    /// The split behind the last value found. Nil if there is no next value, if it is as near as the noise, or if B may not even reach
    /// as far as it: then the factorisation itself has not settled what is there.
    ///
    /// - Parameters:
    ///   - reach: how far the last value is to be parted from all others, if there is room for it.
    ///   - locked: values and residuals of pairs that the factorisation avoids.
    init?(
        _ ritz: RitzPairs, unlisted: [Int], last: Double, reach: Double, isAbove: Bool, noise: Double,
        locked: [(value: Double, residual: Double)] = []
    ) throws(BackendError) {
        let sign = isAbove ? 1.0 : -1
        guard let next = isAbove ? unlisted.last : unlisted.first else { return nil }
        let gap = sign * (last - ritz.values[next])
        guard gap > 2 * noise else { return nil }
        // The nearer to the last value, the farther B may reach.
        let place = last - sign * min(gap / 2, max(gap / 8, reach))
        (self.isAbove, self.place) = (isAbove, place)
        let width = ritz.couplings[0].count
        var schur = [Double](repeating: 0, count: width * width)
        for (value, coupling) in zip(ritz.values, ritz.couplings) {
            let weight = 1 / (sign * (place - value))
            for i in 0..<width {
                for j in 0..<width { schur[i * width + j] += weight * coupling[i] * coupling[j] }
            }
        }
        var shift = width == 0 ? 0 : try HostLinearAlgebra.symmetricEigenvalues(schur, width).last ?? 0
        // The coupling has fewer dimensions than B: in the others nothing is added.
        shift = max(0, shift)
        for pair in locked where sign * (place - pair.value) > 0 {
            shift += pair.residual * pair.residual / (sign * (place - pair.value))
        }
        limit = place - sign * shift
        if isBroken(by: ritz.values[next]) { return nil }
    }

    /// Whether a value of B contradicts it.
    func isBroken(by value: Double) -> Bool { isAbove ? value > limit : value < limit }
}
