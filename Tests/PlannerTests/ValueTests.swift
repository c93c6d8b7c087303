import Graph
import Planner
import TestSupport
import Testing

/// Plans give what the interpreter gives, on every device.
@Suite(.serialized) struct ValueTests {
    @Test(arguments: TestDevices.targets)
    func randomPrograms(_ target: Target) throws {
        // Every program makes kernels of its own, which a driver compiles slowly.
        for seed in 1...(target.selector == "cpu" ? 100 : 8) as ClosedRange<UInt64> {
            let (program, exact) = RandomPrograms.make(seed)
            // Comparisons must see the same numbers on both sides.
            let inputs = rounded(exact, target)
            let expected = Interpreter.run(program, inputs)
            let found = try target.run(program, inputs)
            for (a, b) in zip(found, expected) {
                #expect(
                    mismatch(a, b, tolerance: target.tolerance(3e-5, 1e-12)) == nil,
                    "seed \(seed)\n\(program)")
            }
        }
    }

    @Test(arguments: TestDevices.targets, [false, true])
    func networks(_ target: Target, isConvolutional: Bool) throws {
        for isSecondOrder in [false, true] {
            let program = SmallNetworks.derivative(
                isConvolutional: isConvolutional, isSecondOrder: isSecondOrder)
            let inputs = SmallNetworks.values(for: program, seed: 3)
            let expected = Interpreter.run(program, inputs)
            for (a, b) in zip(try target.run(program, inputs), expected) {
                #expect(mismatch(a, b, tolerance: target.tolerance(2e-5, 1e-12)) == nil)
            }
        }
    }

    /// Axes of views cut and joined by a reshape.
    @Test(arguments: TestDevices.targets)
    func reshapedViews(_ target: Target) throws {
        let program = Program.trace { t in
            let x = t.input("x", [6, 8])
            let turned = x.permuted([1, 0]).reshaped([2, 4, 3, 2])
            let part = x.sliced(starts: [1, 2], shape: [4, 4]).reshaped([2, 1, 2, 2, 2])
            let repeated = x.reshaped([6, 1, 8]).broadcast(to: [6, 4, 8]).reshaped([3, 2, 2, 2, 8])
            return [
                ("turned", turned.exp()), ("part", part.exp()), ("repeated", repeated.sum([1, 3])),
                ("joined", x.permuted([1, 0]).reshaped([48]).exp()),
            ]
        }
        let inputs = rounded(SmallNetworks.values(for: program, seed: 2), target)
        for (a, b) in zip(try target.run(program, inputs), Interpreter.run(program, inputs)) {
            #expect(mismatch(a, b, tolerance: target.tolerance(1e-6, 1e-14)) == nil)
        }
    }

    /// Every step of a plan, replayed on its own meaning, gives the program's outputs: fusion keeps the values.
    @Test(arguments: 1...100)
    func replayedSteps(seed: UInt64) throws {
        let (program, inputs) = RandomPrograms.make(seed)
        let plan = try Planner.plan(
            program, precision: .float64, options: seed % 3 == 0 ? PlannerOptions() : .all)
        var arena = [Double](repeating: .nan, count: plan.arenaCount)
        var outputs = plan.outputs.map { [Double](repeating: .nan, count: $0.shape.count) }
        for step in plan.steps {
            let operands = step.operands.enumerated().map { index, buffer in
                step.elementOffsets(ofOperand: index).map { offset -> Double in
                    switch buffer.place {
                    case .arena: arena[buffer.offset + offset]
                    case .input(let port): inputs[plan.inputs[port].name]![buffer.offset + offset]
                    case .output(let port): outputs[port][buffer.offset + offset]
                    case .table(let table): plan.tables[table][buffer.offset + offset]
                    }
                }
            }
            let result = step.replay(operands)
            #expect(result.count == step.count)
            switch step.result.place {
            case .output(let port): outputs[port] = result
            default: arena.replaceSubrange(step.result.offset..<step.result.offset + step.count, with: result)
            }
        }
        for (a, b) in zip(outputs, Interpreter.run(program, inputs)) {
            #expect(mismatch(a, b, tolerance: 1e-12) == nil, "seed \(seed)")
        }
    }

    private func rounded(_ inputs: [String: [Double]], _ target: Target) -> [String: [Double]] {
        target.precision == .float64 ? inputs : inputs.mapValues { $0.map { Double(Float($0)) } }
    }
}
