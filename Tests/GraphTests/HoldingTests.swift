import Graph
import TestSupport
import Testing

/// Splitting a program into what varies and what does not.
struct HoldingTests {
    /// tanh(x·w)·v summed, with a chain between and products of so many terms.
    private static func program(terms: Int) -> Program {
        Program.trace { t in
            let x = t.input("x", [3, terms]), w = t.input("w", [terms, 2]), v = t.input("v", [terms, 2])
            let hidden = x.matmul(w).tanh()
            return [("y", (hidden * x.matmul(v)).sum()), ("z", hidden.sum())]
        }
    }

    private let program = HoldingTests.program(terms: 20)

    private let inputs: [String: [Double]] = [
        "x": (0..<60).map { Double($0) / 35 - 0.8 }, "w": (0..<40).map { 0.3 - Double($0) / 45 },
        "v": (0..<40).map { Double($0 * $0) / 500 - 1 },
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

    /// A product of few terms is made again from the inputs, and with it what a costly operation reads.
    @Test func lightFirstLayersAreMadeAgain() {
        let split = HoldingTests.program(terms: 4).holding { $0 == "v" }
        #expect(split.fixed.outputs.map(\.shape) == [[1, 1]], "only the sum of z")
        #expect(split.rest.inputs.contains { $0.name == "w" })
        let two = Program.trace { t in
            let x = t.input("x", [3, 4]), w = t.input("w", [4, 9]), v = t.input("v", [9, 2])
            return [("y", (x.matmul(w).tanh().matmul(v)).sum())]
        }
        #expect(two.holding { $0 == "v" }.count == 0)
    }

    @Test func nothingIsHeldWhereEverythingVaries() {
        #expect(program.holding { _ in true }.count == 0)
    }
}
