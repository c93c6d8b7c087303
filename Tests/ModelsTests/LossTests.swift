import Graph
import Models
import TestSupport
import Testing

/// Losses are weighted sums over samples, which with equal weights are means.
@Suite struct LossTests {
    private func run(
        _ loss: Loss, _ logits: [Double], _ targets: [Double], weights: [Double]
    ) -> (total: Double, each: [Double]) {
        let outputs = logits.count / weights.count
        let found = Interpreter.run(
            loss.program(batchSize: weights.count, outputs: outputs),
            ["logits": logits, "targets": targets, "weights": weights])
        return (found[0][0], found[1])
    }

    @Test func meanSquares() {
        let (total, each) = run(.mse, [1, 2, 3, 4], [1, 0, 0, 0], weights: [0.5, 0.5])
        #expect(each == [2, 12.5])
        #expect(total == 7.25)
    }

    @Test func crossEntropy() {
        // Logits (0, log 3): probabilities ¼ and ¾.
        let (total, each) = run(
            .crossEntropy, [0, 1.0986122886681098, 0, 1.0986122886681098], [0, 1, 1, 0], weights: [0.5, 0.5])
        #expect(mismatch(each, [0.2876820724517809, 1.3862943611198906], tolerance: 1e-15) == nil)
        #expect(abs(total - 0.8369882167858358) < 1e-15)
    }

    @Test func softTargets() {
        let (_, each) = run(.crossEntropy, [0, 0], [0.25, 0.75], weights: [1])
        #expect(mismatch(each, [0.6931471805599453], tolerance: 1e-15) == nil)
    }
}
