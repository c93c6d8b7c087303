import Graph
import TestSupport
import Testing

@testable import Planner

/// The order of steps.
@Suite struct ScheduleTests {
    @Test(arguments: 1...100)
    func noWorseThanTheOrderOfTheProgram(seed: UInt64) throws {
        try check(RandomPrograms.make(seed).program)
    }

    @Test(arguments: [false, true], [false, true])
    func noWorseForNetworks(isConvolutional: Bool, isSecondOrder: Bool) throws {
        try check(SmallNetworks.derivative(isConvolutional: isConvolutional, isSecondOrder: isSecondOrder))
    }

    private func check(_ program: Program) throws {
        let lowering = Lowering(program.simplified())
        let kept = Set(lowering.outputOfNode.keys)
        let placement = Placement.best(lowering.drafts, keeping: kept, inPlace: true) { _ in 0 }
        let best = placement.drafts
        #expect(best.map(\.result).sorted() == lowering.drafts.map(\.result).sorted(), "every step, once")
        for order in Schedule.candidates(lowering.drafts, keeping: kept) {
            let other = Placement(order, keeping: kept, inPlace: true) { _ in 0 }
            #expect(placement.arenaCount <= other.arenaCount)
        }
        var done: Set<Int> = []
        let made = Set(best.map(\.result))
        for draft in best {
            for operand in draft.operands where made.contains(operand.node) {
                #expect(done.contains(operand.node), "%\(operand.node) is read before it is made")
            }
            done.insert(draft.result)
        }
    }

    /// Ten large values made first and summed later; one after the other needs only two at a time.
    @Test func aWastefulOrderIsMended() throws {
        let trace = Trace()
        let large = (1...10).map { i in
            trace.input("x\(i)", [50, 1]).matmul(trace.input("z\(i)", [1, 50]))
        }
        let sums = large.map { $0.sum([0, 1]) }
        let plan = try Planner.plan(
            trace.program([("y", sums.dropFirst().reduce(sums[0], +))]), precision: .float32)
        #expect(plan.arenaCount < 2 * 2560, "arena of \(plan.arenaCount) elements")
    }
}
