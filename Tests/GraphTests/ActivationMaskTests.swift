import Graph
import TestSupport
import Testing

/// Slopes of rectified units from their results.
struct ActivationMaskTests {
    private let program = Program.trace { t in
        let x = t.input("x", [5]), w = t.input("w", [5])
        let hidden = x * w
        return [("y", hidden.relu()), ("dx", t.vjp([(of: hidden.relu(), cotangent: w)], to: [x])[0])]
    }

    @Test func valuesAreTheSame() {
        let changed = program.withMasksFromActivations()
        let inputs: [String: [Double]] = [
            "x": [1, -2, 0, .nan, .infinity], "w": [0.5, 3, -1, 2, 1],
        ]
        for (found, expected) in zip(Interpreter.run(changed, inputs), Interpreter.run(program, inputs)) {
            for (a, b) in zip(found, expected) { #expect(a == b || (a.isNaN && b.isNaN)) }
        }
    }

    @Test func theWayBackReadsTheResult() {
        let changed = program.withMasksFromActivations()
        let masks = changed.nodes.filter { $0.primitive == .greater }
        let units = changed.nodes.indices.filter { id in
            changed.nodes[id].primitive == .mul
                && changed.nodes[id].operands.contains { changed.nodes[$0].primitive == .greater }
        }
        #expect(masks.count == 2)
        #expect(masks.contains { units.contains(Int($0.a)) })
    }

    @Test func withoutUnitsNothingChanges() {
        let plain = Program.trace { t in
            let x = t.input("x", [3])
            return [("y", x.greater(than: x.filled(0)) + x)]
        }
        #expect(plain.withMasksFromActivations() == plain)
    }
}
