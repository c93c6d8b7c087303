import Graph
import TestSupport
import Testing

/// Operations made of primitives: values, slopes, and large arguments.
@Suite struct CompositionTests {
    /// Value and gradient of the sum of `body(x)`.
    private func valueAndSlope(_ x: [Double], _ body: (Tensor) -> Tensor) -> ([Double], [Double]) {
        let program = Program.trace { t in
            let x = t.input("x", [1, x.count])
            let y = body(x)
            return [("y", y), ("slope", t.vjp([(of: y, cotangent: y.filled(1))], to: [x])[0])]
        }
        let found = Interpreter.run(program, ["x": x])
        return (found[0], found[1])
    }

    @Test func holdHasNoSlope() {
        let (value, slope) = valueAndSlope([3, -2]) { $0.held() * $0 }
        #expect(value == [9, 4])
        #expect(slope == [3, -2], "only the second factor counts")
        let along = Program.trace { t in
            let x = t.input("x", [2])
            return [("y", t.jvp([x.held()], along: [(at: x, tangent: x.filled(1))])[0])]
        }
        #expect(Interpreter.run(along, ["x": [3, -2]]) == [[0, 0]])
    }

    @Test func reluAndAbsAtZero() {
        let (relu, reluSlope) = valueAndSlope([-1, 0, 2]) { $0.relu() }
        #expect(relu == [0, 0, 2])
        #expect(reluSlope == [0, 0, 1])
        let (abs, absSlope) = valueAndSlope([-3, 0, 2]) { $0.abs() }
        #expect(abs == [3, 0, 2])
        #expect(absSlope == [-1, 0, 1])
        #expect(valueAndSlope([.nan]) { $0.relu() }.0[0].isNaN)
    }

    @Test func extremesAndTies() {
        let (clamped, clampedSlope) = valueAndSlope([-5, 0.5, 5]) { $0.clamped($0.filled(-1), $0.filled(1)) }
        #expect(clamped == [-1, 0.5, 1])
        #expect(clampedSlope == [0, 1, 0])
        let (top, topSlope) = valueAndSlope([2, 2, 1]) { $0.max([1]) }
        #expect(top == [2])
        #expect(topSlope == [0.5, 0.5, 0], "ties share the slope")
    }

    @Test(arguments: [1e4, -1e4])
    func logSoftmaxFarOut(_ far: Double) {
        let (value, slope) = valueAndSlope([far, 0, far]) { $0.logSoftmax(1) }
        let high = -0.6931471805599453
        let expected = far > 0 ? [high, -1e4 + high, high] : [-1e4, 0, -1e4]
        #expect(mismatch(value, expected, tolerance: 1e-15) == nil, "\(value)")
        // Σ_j ∂/∂x_i (x_j − lse) = 1 − 3·softmax_i.
        let share = far > 0 ? [-0.5, 1, -0.5] : [1, -2, 1]
        #expect(mismatch(slope, share, tolerance: 1e-12) == nil, "\(slope)")
    }

    @Test func logSumExpIsSmoothAtTies() {
        // The held maximum cancels: the second derivative is that of the formula, p − p².
        let program = Program.trace { t in
            let x = t.input("x", [1, 3])
            let y = x.logSumExp(1)
            let slope = t.vjp([(of: y, cotangent: y.filled(1))], to: [x])[0]
            let along = t.constant([1, 0, 0], [1, 3])
            return [("second", t.jvp([slope], along: [(at: x, tangent: along)])[0])]
        }
        let second = Interpreter.run(program, ["x": [7, 7, 7]])[0]
        #expect(mismatch(second, [2.0 / 9, -1.0 / 9, -1.0 / 9], tolerance: 1e-14) == nil)
    }

    @Test func meanAndSoftmax() {
        #expect(valueAndSlope([1, 2, 6]) { $0.mean([1]) }.0 == [3])
        let p = valueAndSlope([0, 1.0986122886681098, 0]) { $0.softmax(1) }.0
        #expect(mismatch(p, [0.2, 0.6, 0.2], tolerance: 1e-14) == nil)
    }
}
