import Analysis
import Backend
import Graph
import Models
import TestSupport
import Testing

extension OnDevices {
    /// Hessian and Gauss-Newton products of real networks.
    @Suite struct CurvatureTests {
        private static let layers = [
            "conv: {filters: 2, kernel: 3, padding: 1}", "batch-norm", "gelu", "layer-norm",
            "residual: {body: [conv: {filters: 2, kernel: 3, padding: 1}, tanh]}", "average-pool: 2",
            "max-pool: 2", "flatten", "dense: 3",
        ]

        private func problem(_ loss: Loss) throws -> Problem {
            try Problem("[1, 4, 4]", Self.layers, count: 5, seed: 2, loss)
        }

        @Test(arguments: TestDevices.exactTargets, Loss.allCases)
        func hessianAgainstDifferencesOfTheGradient(_ target: Target, _ loss: Loss) throws {
            let risk = try problem(loss).risk(target, batchSize: 2)
            let n = risk.space.dimension, backend = risk.space.backend
            let hessian = try CurvatureOperator(.hessian, of: risk).dense()
            let start = try backend.download(risk.parameters.all)
            func gradient(_ parameters: [Double]) throws -> [Double] {
                let result = try risk.space.vector()
                _ = try risk.gradient(at: backend.upload(parameters, target.precision).all, into: result.all)
                return try backend.download(result.all)
            }
            let epsilon = 1e-5
            for i in 0..<n {
                var (above, below) = (start, start)
                above[i] += epsilon
                below[i] -= epsilon
                let quotient = zip(try gradient(above), try gradient(below)).map { ($0 - $1) / (2 * epsilon) }
                #expect(
                    mismatch(Array(hessian[i * n..<i * n + n]), quotient, tolerance: 1e-7) == nil,
                    "column \(i)")
            }
            for i in 0..<n {
                for j in 0..<i { #expect(abs(hessian[i * n + j] - hessian[j * n + i]) < 1e-12) }
            }
        }

        @Test(arguments: TestDevices.targets, Loss.allCases)
        func batchSizesDoNotMatter(_ target: Target, _ loss: Loss) throws {
            let problem = try problem(loss)
            var random = TestRandom(seed: 9)
            let direction = random.values(problem.network.layout.count)
            let found = try [1, 2, 3, 5, 64].map { batch -> [[Double]] in
                let risk = try problem.risk(target, batchSize: batch)
                let gradient = try risk.space.vector()
                let loss = try risk.gradient(into: gradient.all)
                return [
                    [loss, try risk.loss()], try risk.space.backend.download(gradient.all),
                    try CurvatureOperator(.hessian, of: risk).apply(direction),
                    try CurvatureOperator(.gaussNewton, of: risk).apply(direction),
                ]
            }
            for other in found.dropFirst() {
                for (a, b) in zip(other, found[0]) {
                    #expect(mismatch(a, b, tolerance: target.tolerance(5e-6, 1e-13)) == nil)
                }
            }
        }

        /// Gᵢⱼ = Σ J·H_loss·J/N from single-sample gradients on the host.
        @Test(arguments: TestDevices.targets, Loss.allCases)
        func gaussNewtonAgainstTheJacobian(_ target: Target, _ loss: Loss) throws {
            let problem = try problem(loss)
            let n = problem.network.layout.count, o = 3
            let jacobian = Jacobian(problem)
            var expected = [Double](repeating: 0, count: n * n)
            for sample in 0..<problem.count {
                let rows = jacobian.rows(sample)
                let p = jacobian.softmax(sample)
                for a in 0..<o {
                    for b in 0..<o {
                        let curvature = loss == .mse ? (a == b ? 1 : 0) : (a == b ? p[a] : 0) - p[a] * p[b]
                        for i in 0..<n {
                            let factor = curvature * rows[a][i] / Double(problem.count)
                            for j in 0..<n { expected[i * n + j] += factor * rows[b][j] }
                        }
                    }
                }
            }
            let found = try CurvatureOperator(.gaussNewton, of: problem.risk(target, batchSize: 3)).dense()
            #expect(mismatch(found, expected, tolerance: target.tolerance(1e-5, 1e-12)) == nil)
        }

        /// JᵀJ/N and JJᵀ/N share their eigenvalues.
        @Test(arguments: TestDevices.targets)
        func dualityWithTheKernel(_ target: Target) throws {
            let problem = try problem(.mse)
            let matrix = try CurvatureOperator(.gaussNewton, of: problem.risk(target, batchSize: 3))
            let found = try Eigenpairs.largest(15, of: matrix).values
            let kernel = try problem.ntk(target, .full, batchSize: 2).kernel
            let dual = Array(try kernel.eigenvalues().reversed()).map { $0 / 5 }
            #expect(
                mismatch(found, dual, tolerance: target.tolerance(1e-5, 1e-12)) == nil, "\(found) \(dual)")
        }
    }
}
