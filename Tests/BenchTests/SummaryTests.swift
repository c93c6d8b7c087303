import Testing

@testable import Bench

/// Order statistics and the rule that ends repeats.
@Suite struct SummaryTests {
    @Test func quantilesOfElevenNumbers() {
        let summary = Summary([7, 3, 11, 1, 9, 5, 2, 8, 4, 10, 6])
        #expect(summary.count == 11 && summary.minimum == 1 && summary.median == 6)
        #expect(abs(summary.q10 - 2) < 1e-12 && abs(summary.q25 - 3.5) < 1e-12)
        #expect(abs(summary.q75 - 8.5) < 1e-12 && abs(summary.q90 - 10) < 1e-12)
        #expect(abs(summary.spread - 5.0 / 6) < 1e-12)
    }

    @Test func quantilesLieBetweenNeighbours() {
        let summary = Summary([4, 1])
        #expect(summary.median == 2.5 && abs(summary.q25 - 1.75) < 1e-12)
        #expect(Summary([3]).q90 == 3 && Summary([3]).spread == 0)
    }

    /// What a rule makes of timings that come in a fixed order, again and again.
    private func sampled(_ rule: SamplingRule, _ timings: [Double]) -> [Double] {
        var next = 0
        return rule.sample(warm: rule.budget) {
            next += 1
            return timings[(next - 1) % timings.count]
        }
    }

    @Test func steadyTimingsEndEarly() {
        let rule = SamplingRule(least: 7, most: 500, spread: 0.02, budget: 1)
        #expect(sampled(rule, [0.05]).count == 7)
        // Short ones go on until a tenth of the budget is used.
        #expect((100...102).contains(sampled(rule, [0.001]).count))
        // The middle half is narrow although a tenth of the runs is slow.
        #expect(sampled(rule, [0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.2]).count == 7)
    }

    @Test func unsteadyTimingsUseTheBudget() {
        let rule = SamplingRule(least: 7, most: 500, spread: 0.02, budget: 1)
        #expect((14...16).contains(sampled(rule, [0.05, 0.08]).count))
        #expect(sampled(rule, [1e-6, 2e-6]).count == 500)
    }

    @Test func slowRunsAreFew() {
        let rule = SamplingRule(least: 7, most: 500, spread: 0.02, budget: 1)
        #expect(sampled(rule, [0.6]).count == 3)
        #expect(sampled(rule, [5]).count == 1)
    }

    @Test func aColdStartIsNoSample() {
        var count = 0
        let samples = SamplingRule(budget: 1).sample {
            count += 1
            return count == 1 ? 0.5 : 0.05
        }
        #expect(samples.allSatisfy { $0 == 0.05 })
    }
}
