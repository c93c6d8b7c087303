import Testing
import Training

/// Learning rates over time.
@Suite struct ScheduleTests {
    private func rates(_ schedule: Schedule, epochs: Double, stepsPerEpoch: Int = 4) -> [Double] {
        (0..<Int(epochs) * stepsPerEpoch).map {
            schedule.rate(
                at: Double($0) / Double(stepsPerEpoch), of: epochs, stepsPerEpoch: stepsPerEpoch)
        }
    }

    @Test func constant() { #expect(Set(rates(Schedule(rate: 0.3), epochs: 2)) == [0.3]) }

    @Test func warmUpIsLinearAndEndsAtTheRate() {
        #expect(
            rates(Schedule(rate: 8, warmup: 2), epochs: 3) == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8])
        #expect(rates(Schedule(rate: 8, warmup: 0.1), epochs: 1) == [8, 8, 8, 8])
    }

    @Test func steps() {
        let schedule = Schedule(.step, rate: 1, milestones: [0.5, 2], factor: 0.5)
        #expect(rates(schedule, epochs: 3) == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25])
        // A third of seven steps and 3·(1/3) meet in spite of rounding.
        let awkward = Schedule(.step, rate: 1, milestones: [0.1 + 0.2], factor: 0.5)
        #expect(awkward.rate(at: 0.3, of: 1, stepsPerEpoch: 10) == 0.5)
    }

    @Test func cosine() {
        let schedule = Schedule(.cosine, rate: 2, warmup: 1)
        #expect(schedule.rate(at: 1, of: 5, stepsPerEpoch: 10) == 2)
        #expect(abs(schedule.rate(at: 3, of: 5, stepsPerEpoch: 10) - 1) < 1e-15)
        #expect(abs(schedule.rate(at: 2, of: 5, stepsPerEpoch: 10) - (1 + 0.5.squareRoot())) < 1e-15)
        #expect(schedule.rate(at: 5, of: 5, stepsPerEpoch: 10) == 0)
        #expect(Schedule(.cosine, rate: 2).rate(at: 0, of: 0, stepsPerEpoch: 1) == 2)
    }

    @Test func countOfSteps() {
        let options = TrainingOptions(epochs: 2.5, batchSize: 48)
        #expect(options.stepsPerEpoch(100) == 3)
        #expect(options.totalSteps(100) == 8)
    }
}
