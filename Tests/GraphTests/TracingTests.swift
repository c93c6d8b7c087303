import Graph
import TestSupport
import Testing

/// What a person sees of a program, and mistakes that stop at once.
@Suite struct TracingTests {
    @Test func listing() {
        let program = Program.trace { t in
            let x = t.input("x", [4, 2])
            let y = x.matmul(t.input("w", [3, 2]), transposeB: true)
            let z = y + t.constant([1, 2, 3], [1, 3]).broadcast(to: [4, 3]) * 0.5
            return [
                ("z", z.sliced(starts: [1, 0], steps: [2, 1], shape: [2, 3])), ("top", z.tanh().max([1])),
            ]
        }
        #expect(
            program.description == """
                program {
                   %0 = input "x"  [4×2]
                   %1 = input "w"  [3×2]
                   %2 = matmul(%0, %1ᵀ)  [4×3]
                   %3 = constant [1.0, 2.0, 3.0]  [1×3]
                   %4 = broadcast(%3)  [4×3]
                   %5 = constant 0.5  [4×3]
                   %6 = mul(%4, %5)  [4×3]
                   %7 = add(%2, %6)  [4×3]
                   %8 = slice(%7, from [1, 0] by [2, 1])  [2×3]
                   %9 = tanh(%7)  [4×3]
                  %10 = reduceMax(%9)  [4×1]
                  return "z": %8, "top": %10
                }
                """)
    }

    @Test func aSumOfTwoShapesStops() async {
        await #expect(processExitsWith: .failure) {
            let t = Trace()
            _ = t.input("x", [2]) + t.input("y", [3])
        }
    }

    @Test func twoTracesDoNotMix() async {
        await #expect(processExitsWith: .failure) { _ = Trace().input("x", [2]) + Trace().input("y", [2]) }
    }

    @Test func theMessageShowsBothShapes() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let t = Trace()
                _ = t.input("x", [2, 3]).matmul(t.input("y", [4, 5]))
            })
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.contains("[2×3]") && text.contains("[4×5]"), "\(text)")
    }
}
