import Foundation
import Planner

/// Checks of what is made of products.
extension CurvatureSelfTest {
    func moments() throws -> SelfCheck {
        let steps = min(4, wide.space.dimension), start = direction(7)
        let krylov = try Krylov(wideHessian, start: start, capacity: steps)
        while krylov.canExtend { try krylov.extend() }
        let (nodes, vectors, _) = try krylov.ritz()
        let scale = nodes.map(abs).max() ?? 0
        let unit = start.map { $0 / length(start) }
        var power = unit, worst = 0.0
        for order in 1..<max(2, 2 * krylov.steps) {
            // In units of the largest node, so that powers stay in range.
            power = try product(wideHessian, power).map { scale > 0 ? $0 / scale : 0 }
            var (rule, size) = (0.0, 0.0)
            for (node, vector) in zip(nodes, vectors) {
                let term = vector[0] * vector[0] * (scale > 0 ? pow(node / scale, Double(order)) : 0)
                (rule, size) = (rule + term, size + abs(term))
            }
            if size > 0 { worst = greater(worst, abs(inner(unit, power) - rule) / size) }
        }
        return SelfCheck(
            name: "moments of a Lanczos factorisation",
            comparison:
                "⟨v, Aᵏ·v⟩ by products and by the quadrature of \(steps) steps, k < \(2 * steps)",
            difference: worst, bound: 1e-10,
            failure: "Lanczos does not belong to this operator: densities and traces of functions are wrong.")
    }

    func duality() throws -> SelfCheck {
        let risk = try squared(precision, batchSize), data = risk.data
        let x = data.batch(0, of: data.sampleCount)["x"]!
        let inputs = try risk.space.backend.upload(risk.space.backend.download(x), precision)
        let kernel = try EmpiricalNTK(
            risk.programs.forward, risk.programs.layout, parameters: risk.parameters, fixed: risk.fixed,
            x: (inputs, data.sampleCount), kind: .full, on: risk.space.backend
        ).matrix()
        let dual = try kernel.eigenvalues().map { $0 / Double(data.sampleCount) }.sorted(by: >)
        let count = min(3, dual.count, risk.space.dimension)
        let found = try Eigenpairs.largest(count, of: CurvatureOperator(.gaussNewton, of: risk)).values
        let top = dual.first ?? 0
        let worst = zip(found, dual).reduce(0) {
            greater($0, top > 0 ? abs($1.0 - $1.1) / top : abs($1.0))
        }
        return SelfCheck(
            name: "duality of Gauss-Newton and tangent kernel",
            comparison:
                "the \(count) largest eigenvalues of the Gauss-Newton matrix of ½‖f − y‖² and of the tangent kernel / N on "
                + "\(data.sampleCount) samples", difference: worst, bound: 10 * roundoff,
            failure:
                "two independent ways to the same eigenvalues disagree: a derivative of the model or the eigenvalue search "
                + "is wrong.")
    }
}
