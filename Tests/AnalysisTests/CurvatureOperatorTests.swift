import Analysis
import Backend
import Graph
import Models
import TestSupport
import Testing

extension OnDevices {
    /// The family of curvature matrices: kinds, blocks, scaled forms, inputs, attacks.
    @Suite struct CurvatureOperatorTests {
        private func problem(_ loss: Loss) throws -> Problem {
            try Problem(
                "[1, 4, 4]", ["conv: {filters: 2, kernel: 3}", "tanh", "flatten", "dense: 3"], count: 5,
                seed: 4, loss)
        }

        @Test(arguments: TestDevices.targets, Loss.allCases)
        func theResidualIsWhatTheHessianHasBeyondGaussNewton(_ target: Target, _ loss: Loss) throws {
            let risk = try problem(loss).risk(target, batchSize: 2)
            let hessian = try CurvatureOperator(.hessian, of: risk).dense()
            let gaussNewton = try CurvatureOperator(.gaussNewton, of: risk).dense()
            let residual = try CurvatureOperator(.residual, of: risk).dense()
            #expect(residual.contains { abs($0) > 1e-2 })
            #expect(
                mismatch(residual, zip(hessian, gaussNewton).map(-), tolerance: target.tolerance(2e-6, 1e-14))
                    == nil)
        }

        /// A model that is linear in its weights has no residual, even where the Hessian is large.
        @Test(arguments: TestDevices.targets)
        func aLinearModelHasNoResidual(_ target: Target) throws {
            let linear = try Problem("[4]", ["dense: 3"], count: 6, seed: 1, .crossEntropy)
            let residual = try CurvatureOperator(.residual, of: linear.risk(target)).dense()
            #expect(residual.allSatisfy { $0 == 0 })
        }

        /// `Σ g·gᵀ/N` from single-sample gradients on the host.
        @Test(arguments: TestDevices.targets, Loss.allCases)
        func empiricalFisherAgainstSingleGradients(_ target: Target, _ loss: Loss) throws {
            let problem = try problem(loss)
            let expected = try fisher(problem, targets: problem.targets)
            let found = try CurvatureOperator(.empiricalFisher, of: problem.risk(target, batchSize: 3))
                .dense()
            #expect(mismatch(found, expected, tolerance: target.tolerance(2e-6, 1e-13)) == nil)
        }

        /// The mean of `g·gᵀ`, each from the gradient of a problem of one sample.
        private func fisher(_ problem: Problem, targets: [Double]) throws -> [Double] {
            let n = problem.network.layout.count, d = problem.network.input.count, o = problem.network.outputs
            let target = TestDevices.exactTargets[0]
            var sum = [Double](repeating: 0, count: n * n)
            for sample in 0..<problem.count {
                var one = problem
                one.inputs = Array(problem.inputs[sample * d..<(sample + 1) * d])
                one.targets = Array(targets[sample * o..<(sample + 1) * o])
                let risk = try one.risk(target)
                let gradient = try risk.space.vector()
                _ = try risk.gradient(into: gradient.all)
                let g = try risk.space.backend.download(gradient.all)
                for i in 0..<n { for j in 0..<n { sum[i * n + j] += g[i] * g[j] / Double(problem.count) } }
            }
            return sum
        }

        /// The Fisher matrix of these losses is the Gauss-Newton matrix: means over many draws approach it like 1/√draws, and
        /// draws do not depend on the batch size.
        @Test(arguments: TestDevices.targets, Loss.allCases)
        func sampledFisherApproachesGaussNewton(_ target: Target, _ loss: Loss) throws {
            let problem = try problem(loss)
            func distance(_ draws: Int, _ seed: UInt64, batchSize: Int = 5) throws -> (Double, [Double]) {
                let risk = try problem.risk(target, batchSize: batchSize)
                let exact = try CurvatureOperator(.gaussNewton, of: risk).dense()
                try risk.drawTargets(draws, from: loss == .mse ? .normal : .categorical, seed: seed)
                let found = try CurvatureOperator(.sampledFisher(draws: draws), of: risk).dense()
                let difference = zip(found, exact).map(-)
                return ((dot(difference, difference) / dot(exact, exact)).squareRoot(), found)
            }
            let (few, elements) = try distance(1, 3)
            let (many, _) = try distance(64, 3)
            #expect(few > 0.2 && many < 0.3 && many < few / 3, "\(few) \(many)")
            #expect(
                mismatch(
                    try distance(1, 3, batchSize: 2).1, elements, tolerance: target.tolerance(2e-6, 1e-13))
                    == nil)
            #expect(try mismatch(distance(1, 4).1, elements, tolerance: 1e-3) != nil)
        }

        @Test(
            arguments: TestDevices.targets,
            [Curvature.hessian, .gaussNewton, .residual, .empiricalFisher])
        func blocksAreBlocksOfTheWhole(_ target: Target, _ curvature: Curvature) throws {
            let risk = try problem(.crossEntropy).risk(target, batchSize: 2)
            let whole = try CurvatureOperator(curvature, of: risk).dense()
            let layout = risk.programs.layout, n = layout.count
            let tolerance = target.tolerance(2e-6, 1e-14)
            func block(_ rows: ParameterLayout, _ columns: ParameterLayout) -> [Double] {
                rows.entries.flatMap { row in
                    layout[row.name]!.range.flatMap { i in
                        columns.entries.flatMap { column in
                            layout[column.name]!.range.map { whole[i * n + $0] }
                        }
                    }
                }
            }
            let dense = layout.selecting { $0.hasPrefix("3.") }
            let biases = layout.selecting { $0.hasSuffix("bias") }
            for chosen in [dense, biases] {
                let part = try CurvatureOperator(curvature, of: risk, on: chosen)
                #expect(part.dimension == chosen.count && chosen.count < n)
                #expect(mismatch(try part.dense(), block(chosen, chosen), tolerance: tolerance) == nil)
            }
            let first = layout.selecting { $0.hasPrefix("0.") }
            let cross = try CurvatureOperator(curvature, of: risk, between: first, and: dense)
            let found = try cross.dense(), size = first.count + dense.count
            let expected = block(first, dense)
            for i in 0..<size {
                for j in 0..<size {
                    let (a, b) = (min(i, j), max(i, j) - first.count)
                    let value = a < first.count && b >= 0 ? expected[a * dense.count + b] : 0
                    #expect(abs(found[i * size + j] - value) < tolerance, "\(i) \(j)")
                }
            }
            // Several vectors at once.
            var random = TestRandom(seed: 5)
            let vectors = (0..<3).map { _ in random.values(dense.count) }
            let part = try CurvatureOperator(curvature, of: risk, on: dense)
            let arrays = try vectors.map { try part.space.backend.upload($0, target.precision) }
            let results = try vectors.map { _ in try part.space.vector() }
            try part.apply(arrays.map(\.all), into: results.map(\.all))
            for (vector, result) in zip(vectors, results) {
                #expect(
                    mismatch(
                        try part.space.backend.download(result.all), try part.apply(vector),
                        tolerance: tolerance) == nil)
            }
        }

        @Test(arguments: TestDevices.targets)
        func scaledByTheSizeOfWeights(_ target: Target) throws {
            let risk = try problem(.crossEntropy).risk(target)
            let hessian = try CurvatureOperator(.hessian, of: risk)
            let theta = try risk.space.backend.download(risk.parameters.all)
            let scale = try risk.space.backend.upload(theta.map(abs), target.precision)
            let scaled = try CongruentOperator(hessian, by: scale).dense()
            let n = theta.count, whole = try hessian.dense()
            let expected = (0..<n * n).map { abs(theta[$0 / n] * theta[$0 % n]) * whole[$0] }
            #expect(mismatch(scaled, expected, tolerance: target.tolerance(1e-6, 1e-14)) == nil)
        }

        /// A linear model with squared error has the block `WᵀW` for every sample.
        @Test(arguments: TestDevices.targets, [1, 2, 7])
        func inputHessianOfALinearModel(_ target: Target, _ batchSize: Int) throws {
            let weights = [1.0, 2, -1, 0.5, 3, 1], inputs = (0..<15).map { Double($0) / 7 - 1 }
            let problem = try Problem(
                "[3]", ["dense: {units: 2, bias: false}"], weights: weights, inputs: inputs,
                targets: [Double](repeating: 0.3, count: 10), .mse)
            let found = try InputHessianOperator(problem.risk(target, batchSize: batchSize)).dense()
            for i in 0..<15 {
                for j in 0..<15 {
                    let (a, b) = (i % 3, j % 3)
                    let value =
                        i / 3 == j / 3 ? weights[a] * weights[b] + weights[3 + a] * weights[3 + b] : 0
                    #expect(abs(found[i * 15 + j] - value) < target.tolerance(1e-5, 1e-14))
                }
            }
        }

        /// A linear model under the strongest attack in an L2 ball has the loss `½(|r| + ε‖w‖)²`, whose Hessian is known; with
        /// the attack held, another one.
        @Test(arguments: TestDevices.exactTargets)
        func danskinOfALinearModel(_ target: Target) throws {
            let w = [0.8, -0.5, 0.3], epsilon = 0.4
            let inputs = [0.3, 0.9, -0.2, 0.5, -0.6, 0.1], targets = [1.0, -0.4]
            let problem = try Problem(
                "[3]", ["dense: {units: 1, bias: false}"], weights: w, inputs: inputs, targets: targets, .mse)
            func residuals(_ w: [Double]) -> [Double] {
                (0..<2).map { dot(Array(inputs[3 * $0..<3 * $0 + 3]), w) - targets[$0] }
            }
            func attacked(_ w: [Double]) -> [Double] {
                let norm = dot(w, w).squareRoot()
                return residuals(w).enumerated().flatMap { sample, r in
                    (0..<3).map { inputs[3 * sample + $0] + (r < 0 ? -1 : 1) * epsilon * w[$0] / norm }
                }
            }
            let risk = try problem.risk(target)
            let danskin = try DanskinOperator(risk) { parameters throws(BackendError) in
                attacked(try risk.space.backend.download(parameters))
            }
            let norm = dot(w, w).squareRoot(), unit = w.map { $0 / norm }
            var expected = [Double](repeating: 0, count: 9)
            for (sample, r) in residuals(w).enumerated() {
                let sign = r < 0 ? -1.0 : 1.0
                let g = (0..<3).map { sign * inputs[3 * sample + $0] + epsilon * unit[$0] }
                for i in 0..<3 {
                    for j in 0..<3 {
                        let bend = (i == j ? 1 : 0) - unit[i] * unit[j]
                        expected[3 * i + j] +=
                            (g[i] * g[j] + (abs(r) + epsilon * norm) * epsilon / norm * bend) / 2
                    }
                }
            }
            #expect(mismatch(try danskin.dense(), expected, tolerance: 1e-8) == nil)
            var held = problem
            held.inputs = attacked(w)
            let fixed = try CurvatureOperator(.hessian, of: held.risk(target)).dense()
            #expect(mismatch(fixed, expected, tolerance: 0.05) != nil)
        }
    }
}
