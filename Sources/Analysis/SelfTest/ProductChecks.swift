import Foundation
import Planner

/// Checks of products with the Hessian and its parts.
extension CurvatureSelfTest {
    func differences() throws -> SelfCheck {
        var found = try difference(nudged: 0), note: String?
        if !(found <= 1e-4) {
            // Units that lie on a kink leave it for nearby weights.
            let nearby = try difference(nudged: 1e-4)
            if nearby <= 1e-4 {
                found = nearby
                note =
                    "at these very weights the gradient jumps: some units lie exactly on a kink, such as ReLUs of zeros. The "
                    + "Hessian is that of one side of it; at weights 0.01 % away the check passes."
            }
        }
        return SelfCheck(
            name: "differences of the gradient",
            comparison: "H·v and (∇L(θ+hv) − ∇L(θ−hv))/2h in float64, the best of nine h", difference: found,
            bound: 1e-4,
            failure:
                "the Hessian is not the derivative of the gradient here: the loss has kinks so dense that no step avoids "
                + "them, or is not finite nearby, or a derivative is wrong. Curvature of this model at these weights means little.",
            note: note)
    }

    /// The relative difference at weights moved in a random direction by a share of their norm.
    private func difference(nudged share: Double) throws -> Double {
        let backend = wide.space.backend
        let v = direction(0), aside = direction(8)
        var start = try backend.download(wide.parameters.all)
        let size = max(length(start), 1e-3)
        start = zip(start, aside).map { $0 + share * size / length(aside) * $1 }
        let risk = share == 0 ? wide : try wide.moved(to: start)
        let exact = try product(
            share == 0 ? wideHessian : CurvatureOperator(.hessian, of: risk), v)
        let result = try risk.space.vector()
        func gradient(_ step: Double) throws -> [Double] {
            let moved = try backend.upload(zip(start, v).map { $0 + step * $1 }, .float64)
            _ = try risk.gradient(at: moved.all, into: result.all)
            return try backend.download(result.all)
        }
        // Curvature asks for small steps, rounding for large ones, and kinks of ReLUs for such that cross none.
        var best = Double.infinity
        for exponent in -11...(-3) {
            let step = pow(10, Double(exponent)) * size / length(v)
            let quotient = zip(try gradient(step), try gradient(-step)).map { ($0 - $1) / (2 * step) }
            let found = relative(quotient, exact)
            if !(found >= best) { best = found }
        }
        return best
    }

    func rounding() throws -> SelfCheck {
        let v = direction(1)
        return SelfCheck(
            name: "precision of products",
            comparison: "H·v in \(precision.rawValue) on \(risk.space.backend.device.name) and in float64",
            difference: relative(try product(hessian, v), try product(wideHessian, v)),
            bound: precision == .float32 ? 1e-3 : 1e-10,
            failure:
                "products lose more digits than \(precision.rawValue) should: large terms cancel, or the device computes "
                + "badly. Use --precision float64.")
    }

    func symmetry() throws -> SelfCheck {
        let u = direction(2), v = direction(3)
        let hu = try product(hessian, u), hv = try product(hessian, v)
        let scale = length(u) * length(hv) + length(hu) * length(v)
        return SelfCheck(
            name: "symmetry", comparison: "⟨u, Hv⟩ and ⟨Hu, v⟩ for random u, v",
            difference: scale > 0 ? abs(inner(u, hv) - inner(hu, v)) / scale : 0, bound: roundoff,
            failure:
                "products are not those of one symmetric matrix: Lanczos results cannot be trusted. The model may not be "
                + "deterministic, or a derivative is wrong.")
    }

    func repetition() throws -> SelfCheck {
        let v = direction(4), first = try product(hessian, v), second = try product(hessian, v)
        let fresh = try product(CurvatureOperator(.hessian, of: make(precision, batchSize)), v)
        let differing =
            zip(first, second).filter { !($0 == $1) }.count
            + zip(first, fresh).filter { !($0 == $1) }.count
        return SelfCheck(
            name: "repeated products",
            comparison: "elements of H·v that differ between two runs, and from those of a new program",
            difference: Double(differing), bound: 0,
            failure:
                "the same product gives different bits: the device or its driver is not deterministic, or values are not "
                + "finite. Residuals cannot fall below that noise.")
    }

    func partition() throws -> SelfCheck {
        let v = direction(5), expected = try product(hessian, v)
        var worst = 0.0
        // Away from these weights, as gradients vanish at minima, and losses where all is fitted.
        let start = try risk.space.backend.download(risk.parameters.all), aside = direction(9)
        let size = max(length(start), 1e-3) / length(aside)
        let moved = try risk.space.backend.upload(
            zip(start, aside).map { $0 + 0.3 * size * $1 }, precision)
        let gradient = try risk.space.vector()
        let loss = try risk.gradient(at: moved.all, into: gradient.all)
        let slope = try risk.space.backend.download(gradient.all)
        for size in Set([max(1, batchSize / 3), risk.data.sampleCount]).sorted() where size != batchSize {
            let other = try make(precision, size)
            let loss2 = try other.gradient(at: moved.all, into: gradient.all)
            worst = greater(worst, abs(loss2 - loss) / max(abs(loss), .leastNormalMagnitude))
            worst = greater(worst, relative(try risk.space.backend.download(gradient.all), slope))
            worst = greater(worst, relative(try product(CurvatureOperator(.hessian, of: other), v), expected))
        }
        return SelfCheck(
            name: "partition into batches",
            comparison: "H·v, and loss and gradient nearby, with batches of \(batchSize) and of other sizes",
            difference: worst,
            bound: 10 * roundoff,
            failure:
                "results depend on how samples are cut into batches: samples are not independent (batch normalisation in "
                + "training mode?), or batches are weighted wrongly.")
    }

    func split() throws -> SelfCheck {
        let v = direction(6), whole = try product(hessian, v)
        let gaussNewton = try product(CurvatureOperator(.gaussNewton, of: risk), v)
        let residual = try product(CurvatureOperator(.residual, of: risk), v)
        let scale = length(gaussNewton) + length(residual)
        let difference = length(zip(zip(gaussNewton, residual).map(+), whole).map(-))
        return SelfCheck(
            name: "Hessian = Gauss-Newton + residual",
            comparison: "G·v ≥ 0 along v, and H·v against G·v + R·v, three programs",
            difference: inner(v, gaussNewton) < -roundoff * length(v) * length(gaussNewton)
                ? .infinity : scale > 0 ? difference / scale : 0, bound: 10 * roundoff,
            failure:
                "the three matrices do not belong together, or the Gauss-Newton matrix has negative curvature, which it "
                + "cannot have with a convex loss.")
    }
}
