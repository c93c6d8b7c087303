import Planner
import Testing

@testable import Bench

/// The roofline in numbers that can be worked out by hand.
@Suite struct RooflineTests {
    private let ceilings = Ceilings(flops: [.float32: 100e9, .float64: 50e9], bytes: 10e9)

    @Test func theSmallerBoundCounts() {
        #expect(ceilings.attainable(intensity: 2, .float32) == 20e9)
        #expect(ceilings.attainable(intensity: 10, .float32) == 100e9)
        #expect(ceilings.attainable(intensity: 1000, .float32) == 100e9)
        #expect(ceilings.attainable(intensity: 10, .float64) == 50e9)
        #expect(Ceilings(flops: [:], bytes: 10e9).attainable(intensity: 1, .float32) == nil)
    }

    @Test func sharesOfTheCeilings() {
        // 2 GFLOP and 1 GB in 0.2 s: 10 % of the operations, 50 % of the bytes.
        let fractions = ceilings.fractions(
            Work(flops: 2_000_000_000, bytes: 1_000_000_000), seconds: 0.2, .float32)
        #expect(abs(fractions.compute! - 0.1) < 1e-12 && abs(fractions.memory! - 0.5) < 1e-12)
        // The same as the rate over what is attainable at two operations per byte.
        let rate = 2e9 / 0.2
        #expect(abs(fractions.roofline! - rate / ceilings.attainable(intensity: 2, .float32)!) < 1e-12)
    }

    /// A round beside other processes does not lower the roof, but it is told.
    @Test func theBestRoundIsTheCeiling() {
        func result(_ group: String, _ rounds: [[Double]], foreignLoad: Double) -> BenchResult {
            BenchResult(
                device: "cpu", id: group, group: group, precision: .float32, work: Work(flops: 8, bytes: 4),
                itemsPerRun: nil, planBytes: nil, samples: rounds, summary: Summary(rounds.flatMap { $0 }),
                fractions: nil, check: Check(error: 0, tolerance: 1), foreignLoad: foreignLoad)
        }
        let calm = result("memory", [[1], [1]], foreignLoad: 0)
        let found = Ceilings(measured: [result("gemm", [[4, 4], [2, 2], [8, 8]], foreignLoad: 1), calm])
        #expect(found.flops == ["float32": 4] && found.bytes == 4 && found.isDisturbed == true)
        #expect(Ceilings(measured: [calm]).isDisturbed == false)
    }

    @Test func nothingCountedHasNoShare() {
        let fractions = ceilings.fractions(Work(flops: 0, bytes: 1_000_000_000), seconds: 0.1, .float32)
        #expect(fractions.compute == nil && abs(fractions.roofline! - 1) < 1e-12)
        #expect(ceilings.fractions(Work(), seconds: 1, .float32).roofline == nil)
    }
}
