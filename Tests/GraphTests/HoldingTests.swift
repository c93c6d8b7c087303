import Graph
import TestSupport
import Testing

/// Splitting a program into what varies and what does not.
struct HoldingTests {
    /// tanh(x·w)·v summed, with a chain between.
    private let program = Program.trace { t in
        let x = t.input("x", [3, 4]), w = t.input("w", [4, 2]), v = t.input("v", [4, 2])
        let hidden = x.matmul(w).tanh()
        return [("y", (hidden * x.matmul(v)).sum()), ("z", hidden.sum())]
    }

    private let inputs: [String: [Double]] = [
        "x": (0..<12).map { Double($0) / 7 - 0.8 }, "w": (0..<8).map { 0.3 - Double($0) / 9 },
        "v": (0..<8).map { Double($0 * $0) / 20 - 1 },
    ]

    @Test func bothPartsGiveWhatTheWholeGives() {
        let split = program.holding { $0 == "v" }
        var bound = inputs
        for (port, values) in zip(split.fixed.outputs, Interpreter.run(split.fixed, inputs)) {
            bound[port.name] = values
        }
        #expect(Interpreter.run(split.rest, bound) == Interpreter.run(program, inputs))
    }

    @Test func costlyValuesAreHeldAndCheapOnesMadeAgain() {
        let split = program.holding { $0 == "v" }
        // x·w is held: its tanh is made again from it. The sum of z does not vary and is held too.
        #expect(split.fixed.outputs.map(\.shape) == [[3, 2], [1, 1]])
        #expect(split.count == 7)
        #expect(!split.rest.inputs.contains { $0.name == "w" })
        #expect(!split.fixed.inputs.contains { $0.name == "v" })
    }

    @Test func nothingIsHeldWhereEverythingVaries() {
        #expect(program.holding { _ in true }.count == 0)
    }
}
