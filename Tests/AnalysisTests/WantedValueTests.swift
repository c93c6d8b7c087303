import TestSupport
import Testing

@testable import Analysis

/// What an end of a spectrum is, and how surely nothing of it was missed.
@Suite struct WantedValueTests {
    @Test func sharesAndOrder() {
        let values = [3.0, -7, 5, 1, -2]
        func listed(_ end: SpectrumEnd, _ count: Int) -> [Double] {
            WantedValues(end, count).order(values).prefix(count).map { values[$0] }
        }
        #expect(listed(.largest, 2) == [5, 3])
        #expect(listed(.smallest, 2) == [-7, -2])
        #expect(listed(.both, 3) == [5, 3, -7])
        #expect(listed(.both, 5) == [5, 3, 1, -2, -7])
        #expect(WantedValues(.both, 3).limits(values) == (floor: 3, ceiling: -7))
        #expect(SpectrumEnd(rawValue: "BE") == .both)
    }

    /// New values displace known ones only if they are better by a margin.
    @Test func newValues() {
        func missing(_ end: SpectrumEnd, _ count: Int, _ known: [Double], _ new: [Double]) -> [Int] {
            let found = WantedValues(end, count).missing(known: known, new: new, margin: { _ in 0.1 })
            return [found.top, found.bottom]
        }
        #expect(missing(.largest, 3, [], [1, 2, 3, 4]) == [3, 0])
        #expect(missing(.largest, 3, [9, 8, 3.95], [1, 2, 3, 4]) == [0, 0])
        #expect(missing(.largest, 3, [9, 8, 3.85], [1, 2, 3, 4]) == [1, 0])
        #expect(missing(.smallest, 2, [0.5], [1, 2]) == [0, 1])
        #expect(missing(.both, 4, [10, -3], [-2, 0, 9]) == [1, 1])
        #expect(missing(.both, 4, [], [5]) == [1, 0], "one value is not taken twice")
    }

    /// On a diagonal matrix of known start, `⟨x, vᵢ⟩ = φᵢ(μ)·⟨x, g⟩`, also after a restart: the bound is never below the truth.
    @Test func theShareOfAHiddenValue() {
        // Measure with masses at ±1: φ = 1, μ, then the next would be (μ² − 1)/0.
        var copies = HiddenCopies(3)
        copies.step([0], coupling: 1)
        // φ₀ = 1, φ₁ = 3 of the first Krylov vector after: 1 + 9 = 10.
        #expect(abs(copies.risk(1) - (2 / (Double.pi * 10)).squareRoot()) < 1e-15)
        copies.step([1, 0], coupling: 2)
        // φ₂ = (3·3 − 1)/2 = 4.
        #expect(abs(copies.risk(1) - (2 / (Double.pi * 26)).squareRoot()) < 1e-15)
        let half = 0.5.squareRoot()
        copies.restart([[half, half]])
        // (1 + 3)²/2 + 16.
        #expect(abs(copies.risk(1) - (2 / (Double.pi * 24)).squareRoot()) < 1e-15)
        // After a restart the step couples to all that was kept: φ = (3·4 − 2·√8 − 4)/1.
        copies.step([2, 1], coupling: 1)
        let next = 3 * 4 - 2 * 8.0.squareRoot() - 4
        #expect(abs(copies.risk(1) - (2 / (Double.pi * (24 + next * next))).squareRoot()) < 1e-15)
        #expect(copies.risk(1 << 40) == 1)
        copies.step([0, 0, 0], coupling: 1e-300)
        copies.step([0, 0, 0, 0], coupling: 1e-300)
        #expect(copies.risk(1000) < 1e-90, "numbers stay finite")
    }

    /// Bounds by residuals and gaps.
    @Test func errorBounds() {
        let found = EigenvalueError.all(
            [10, 9, 8.95, 5], [0.1, 0.01, 0.2, 1e-3], WantedValues(.largest, 4), rounding: 0)
        #expect(found.map(\.isQuadratic) == [true, false, false, false], "intervals of neighbours overlap")
        #expect(abs(found[0].bound - 0.01 / 0.99) < 1e-12)
        #expect(found[3].bound == 1e-3, "what lies below the last is not known")
        #expect(found[2].bound == 0.2 && abs(found[2].interval.lowerBound - 8.75) < 1e-12)
        let clear = EigenvalueError.all(
            [10, 9, 8, 5], [0.01, 0.01, 0.01, 0.01], WantedValues(.largest, 4), rounding: 0)
        #expect(clear.map(\.isQuadratic) == [true, true, true, false])
        let ends = EigenvalueError.all(
            [10, 9, -4, -5], [0.1, 0.1, 0.1, 0.1], WantedValues(.both, 4), rounding: 1e-3)
        #expect(ends.map(\.isQuadratic) == [true, false, false, true])
        #expect(abs(ends[3].bound - (0.01 / (1 - 0.1 - 1e-3) + 1e-3)) < 1e-12)
    }
}
