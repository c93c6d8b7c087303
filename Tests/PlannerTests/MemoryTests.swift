import Graph
import Planner
import TestSupport
import Testing

/// Memory of plans, recomputed from their steps alone.
@Suite struct MemoryTests {
    @Test(arguments: 1...100)
    func randomProgramsAreSafe(seed: UInt64) throws {
        let (program, _) = RandomPrograms.make(seed)
        let scratch: (Kernel) -> Int = { seed % 2 == 0 ? 0 : 7 + $0.name.utf8.count }
        for precision in Precision.allCases {
            let options = seed % 3 == 0 ? PlannerOptions() : .all
            let plan = try Planner.plan(program, precision: precision, options: options, scratch: scratch)
            #expect(MemoryAudit(plan).problems == [], "seed \(seed)\n\(plan)\n\(program)")
            #expect(plan.steps.allSatisfy { ($0.scratch != nil) == (scratch($0.kernel) > 0) }, "seed \(seed)")
        }
    }

    @Test(arguments: [false, true], [false, true])
    func networksAreSafe(isConvolutional: Bool, isSecondOrder: Bool) throws {
        let program = SmallNetworks.derivative(isConvolutional: isConvolutional, isSecondOrder: isSecondOrder)
        func scratch(_ kernel: Kernel) -> Int { kernel.name.hasPrefix("conv") ? 1000 : 0 }
        for options in [PlannerOptions(), .all] {
            let plan = try Planner.plan(program, precision: .float32, options: options, scratch: scratch)
            #expect(MemoryAudit(plan, scratch: scratch).problems == [])
            // Everything in a place of its own.
            let apart = plan.steps.reduce(0) { total, step in
                let result = step.result.place == .arena ? (step.count + 63) / 64 * 64 : 0
                return total + result + (scratch(step.kernel) + 63) / 64 * 64
            }
            #expect(plan.arenaCount < apart, "memory is used more than once")
        }
    }

    @Test func chainsWorkInPlace() throws {
        // The chain is too long for one step; every part can take the place of the one before.
        let program = Program.trace { t in
            let x = t.input("x", [64, 64])
            return [("y", (0..<60).reduce(x.matmul(x)) { y, _ in y.tanh() }.sum([0]))]
        }
        func arena(_ options: PlannerOptions) throws -> Int {
            try Planner.plan(program, precision: .float32, options: options).arenaCount
        }
        #expect(try arena(PlannerOptions(worksInPlace: true)) == 64 * 64)
        #expect(try arena(PlannerOptions()) == 2 * 64 * 64)
    }

    @Test func aPlanOfKnownSize() throws {
        // x·x is dead after its sum; the sum is dead after the tanh, which is an output.
        let program = Program.trace { t in
            let x = t.input("x", [100, 3])
            return [("y", x.matmul(x, transposeB: true).sum([1]).tanh().sum([0]))]
        }
        let plan = try Planner.plan(program, precision: .float64)
        // 100×100, then 100 sums beside it, then 100 values that need no new room; offsets are multiples of 64.
        #expect(plan.arenaCount == 10_048 + 128)
        #expect(plan.arenaBytes == 8 * plan.arenaCount)
        #expect(plan.peakBytes == plan.arenaBytes + 8 * (300 + 1))
        #expect(plan.bytesMoved == 8 * (600 + 10_000 + 10_000 + 100 + 100 + 100 + 100 + 1))
    }
}

/// Recounts a plan's memory without looking at how the planner did it.
struct MemoryAudit {
    /// What is wrong; empty if nothing is.
    private(set) var problems: [String] = []

    private struct Stretch {
        var range: Range<Int>
        var first: Int, last: Int
    }

    init(_ plan: Plan, scratch: ((Kernel) -> Int)? = nil) {
        var results: [Stretch] = []
        /// The latest write of each arena element, as an index of `results`.
        var owner = [Int](repeating: -1, count: plan.arenaCount)
        var written = plan.outputs.map { [Bool](repeating: false, count: $0.shape.count) }
        for (time, step) in plan.steps.enumerated() {
            for (index, buffer) in step.operands.enumerated() {
                let offsets = step.elementOffsets(ofOperand: index).map { $0 + buffer.offset }
                switch buffer.place {
                case .arena:
                    let owners = Set(offsets.map { $0 < owner.count && $0 >= 0 ? owner[$0] : -1 })
                    if owners.contains(-1) {
                        problems.append("step \(time) reads arena memory never written")
                    }
                    if owners.count > 1 { problems.append("step \(time) reads one operand from two results") }
                    for owner in owners where owner >= 0 { results[owner].last = time }
                case .input(let port):
                    let count = plan.inputs[port].shape.count
                    if !offsets.allSatisfy((0..<count).contains) {
                        problems.append("step \(time) leaves an input")
                    }
                case .table(let table):
                    let count = plan.tables[table].count
                    if !offsets.allSatisfy((0..<count).contains) {
                        problems.append("step \(time) leaves a table")
                    }
                case .output(let port):
                    if !offsets.allSatisfy({ written[port][$0] }) {
                        problems.append("step \(time) reads output \(port) before it is written")
                    }
                }
            }
            switch step.result.place {
            case .arena:
                let range = step.result.offset..<step.result.offset + step.count
                if range.upperBound > plan.arenaCount { problems.append("step \(time) leaves the arena") }
                for element in range { owner[element] = results.count }
                results.append(Stretch(range: range, first: time, last: time))
            case .output(let port):
                if written[port].contains(true) { problems.append("output \(port) is written twice") }
                if step.result.offset != 0 || step.count != written[port].count {
                    problems.append("output \(port) is not written whole")
                }
                written[port] = written[port].map { _ in true }
            default:
                problems.append("step \(time) writes to a place that is not its own")
            }
            if let place = step.scratch {
                let count = scratch?(step.kernel) ?? 7 + step.kernel.name.utf8.count
                results.append(Stretch(range: place.offset..<place.offset + count, first: time, last: time))
                // Whatever lived there is gone.
                for element in results.last!.range { owner[element] = -1 }
            }
        }
        if written.contains(where: { $0.contains(false) }) { problems.append("an output is not written") }
        func takesPlace(_ a: Stretch, of b: Stretch) -> Bool {
            guard a.range == b.range, b.last == a.first,
                case .elementwise(let kernel) = plan.steps[a.first].kernel
            else { return false }
            let step = plan.steps[a.first]
            return step.operands.indices.allSatisfy { index in
                step.operands[index].place != .arena || !a.range.contains(step.operands[index].offset)
                    || (step.operands[index] == step.result && kernel.walk.pattern(index) == .linear)
            }
        }
        for (i, a) in results.enumerated() {
            for b in results[..<i]
            where a.first <= b.last && b.first <= a.last && a.range.overlaps(b.range)
                && !takesPlace(a, of: b)
            {
                problems.append("memory \(a.range) and \(b.range) is shared at step \(a.first)")
            }
        }
        let end = results.map(\.range.upperBound).max() ?? 0
        if plan.arenaCount != (end + 63) / 64 * 64 {
            problems.append("an arena of \(plan.arenaCount), used up to \(end)")
        }
        let ports = (plan.inputs + plan.outputs).map(\.shape.count).reduce(0, +)
        let bytes = (plan.arenaCount + ports + plan.tables.map(\.count).reduce(0, +)) * plan.precision.bytes
        if plan.peakBytes != bytes { problems.append("a peak of \(plan.peakBytes), recounted \(bytes)") }
    }
}
