import Analysis
import TestSupport
import Testing

extension OnDevices {
    /// Curvature with closed forms.
    @Suite struct ExactCurvatureTests {
        /// f = b·(a·x) at a = (1, −1), b = 2.
        private func product() throws -> Problem {
            try Problem(
                "[2]", ["dense: {units: 1, bias: false}", "dense: {units: 1, bias: false}"],
                weights: [1, -1, 2], inputs: [1, 0, 0, 1, 1, 1], targets: [1, 2, 0], .mse)
        }

        @Test(arguments: TestDevices.targets, [1, 2, 3])
        func productOfTwoWeights(_ target: Target, batchSize: Int) throws {
            let risk = try product().risk(target, batchSize: batchSize)
            let tolerance = target.tolerance(2e-6, 1e-13)
            #expect(abs(try risk.loss() - 17.0 / 6) < tolerance)
            let gradient = try risk.space.vector()
            #expect(abs(try risk.gradient(into: gradient.all) - 17.0 / 6) < tolerance)
            // Errors (1, −4, 0): ∂a = b·Xᵀe/N, ∂b = Σ e·(a·x)/N.
            let slopes = try risk.space.backend.download(gradient.all)
            #expect(mismatch(slopes, [2.0 / 3, -8.0 / 3, 5.0 / 3], tolerance: tolerance) == nil)

            let hessian = try Eigenpairs.largest(3, of: CurvatureOperator(.hessian, of: risk))
            let expected = [4.24581252859112, 2.95756379699551, -1.20337632558663]
            #expect(mismatch(hessian.values, expected, tolerance: tolerance) == nil, "\(hessian.values)")
            #expect(hessian.isConverged)
            let gaussNewton = try Eigenpairs.largest(3, of: CurvatureOperator(.gaussNewton, of: risk))
            #expect(
                mismatch(gaussNewton.values, [4, 2, 0], tolerance: tolerance) == nil, "\(gaussNewton.values)")
            let kernel = try product().ntk(target, .full, batchSize: batchSize).kernel
            let dual = try kernel.eigenvalues().reversed().map { $0 / 3 }
            #expect(mismatch(Array(dual), [4, 2, 0], tolerance: tolerance) == nil, "\(dual)")
        }

        @Test(arguments: TestDevices.targets, [1, 3, 4, 10])
        func softMaxAtZero(_ target: Target, batchSize: Int) throws {
            let problem = try Problem(
                "[2]", ["dense: {units: 3, bias: false}"], weights: [0, 0, 0, 0, 0, 0],
                inputs: [1, 0, 1, 1, 0, 2, 2, 1], targets: [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0], .crossEntropy
            )
            let risk = try problem.risk(target, batchSize: batchSize)
            let tolerance = target.tolerance(2e-6, 1e-13)
            #expect(abs(try risk.loss() - 1.0986122886681098) < tolerance)
            for matrix in [
                try CurvatureOperator(.hessian, of: risk) as any LinearOperator,
                try CurvatureOperator(.gaussNewton, of: risk),
            ] {
                let found = try Eigenpairs.largest(6, of: matrix)
                let expected = [0.75, 0.75, 0.25, 0.25, 0, 0]
                #expect(mismatch(found.values, expected, tolerance: tolerance) == nil, "\(found.values)")
                #expect(found.residuals.allSatisfy { $0 < 10 * tolerance })
            }
        }
    }
}
