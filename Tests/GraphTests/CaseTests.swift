import Graph
import TestSupport
import Testing

/// Every primitive against difference quotients and the adjoint identity, to second order.
@Suite struct CaseTests {
    @Test func everyPrimitiveHasARow() {
        let rows = Set(Cases.all.map(\.primitive))
        #expect(
            Set(Primitive.allNames).subtracting(rows) == [], "primitives without a row in the table of cases")
    }

    @Test(arguments: Cases.all, [1, 2, 3, 4, 5] as [UInt64])
    func derivatives(_ row: Case, seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let example = row.make(&random)
        let values = example.seeded(&random)
        try example.program.verify()
        try example.second.verify()

        // Directional derivative against a central difference.
        let jvp = Interpreter.run(example.forward, values)[1]
        let quotient = difference(example.program, example, values)[0]
        #expect(mismatch(jvp, quotient, tolerance: 1e-7) == nil, "jvp, seed \(seed)")

        // ⟨t, Jᵀc⟩ = ⟨Jt, c⟩.
        let vjp = Array(Interpreter.run(example.reverse, values).dropFirst())
        let left = zip(example.smooth, vjp).reduce(0) { $0 + dot(values["t of \($1.0)"]!, $1.1) }
        #expect(mismatch([left], [dot(jvp, values["c"]!)], tolerance: 1e-11) == nil, "adjoint, seed \(seed)")

        // Derivative of the pull-back against a central difference of it.
        let second = Array(Interpreter.run(example.second, values).dropFirst())
        let secondQuotient = Array(difference(example.reverse, example, values).dropFirst())
        for (found, expected) in zip(second, secondQuotient) {
            #expect(mismatch(found, expected, tolerance: 1e-6) == nil, "second order, seed \(seed)")
        }
    }

    /// (P(x + εt) − P(x − εt)) / 2ε for every output.
    private func difference(
        _ program: Program, _ example: Example, _ values: [String: [Double]]
    ) -> [[Double]] {
        let epsilon = 1e-5
        func shifted(_ sign: Double) -> [[Double]] {
            var moved = values
            for name in example.smooth {
                moved[name] = zip(values[name]!, values["t of \(name)"]!).map { $0 + sign * epsilon * $1 }
            }
            return Interpreter.run(program, moved)
        }
        return zip(shifted(1), shifted(-1)).map { zip($0, $1).map { ($0 - $1) / (2 * epsilon) } }
    }
}
