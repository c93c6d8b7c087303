import Backend
import Data
import Foundation
import Planner

/// Cross-checks of curvature on a user's own model and samples: every number that a spectrum is made of has to agree with another way
/// to compute it.
public final class CurvatureSelfTest {
    /// The mean loss of the model at its weights, made anew for a precision and a batch size.
    public typealias MakeRisk = (_ precision: Precision, _ batchSize: Int) throws -> Risk

    private let make: MakeRisk
    private let squared: MakeRisk
    private let precision: Precision, batchSize: Int
    private let seed: UInt64
    /// Float64 arithmetic, which references need.
    private let wide: Risk
    private let risk: Risk
    private let hessian: CurvatureOperator, wideHessian: CurvatureOperator

    /// A test of a risk.
    ///
    /// - Parameters:
    ///   - squared: the same model and samples, few of them, with the loss `½‖f(x) − y‖²`: for the duality with the kernel.
    public init(
        precision: Precision, batchSize: Int, seed: UInt64, risk make: @escaping MakeRisk,
        squared: @escaping MakeRisk
    ) throws {
        (self.make, self.squared, self.precision) = (make, squared, precision)
        (self.batchSize, self.seed) = (batchSize, seed)
        risk = try make(precision, batchSize)
        wide = precision == .float64 ? risk : try make(.float64, batchSize)
        hessian = try CurvatureOperator(.hessian, of: risk)
        wideHessian = precision == .float64 ? hessian : try CurvatureOperator(.hessian, of: wide)
    }

    /// Runs all checks; `progress` is told the name of each before it begins.
    public func run(progress: (_ name: String) -> Void = { _ in }) throws -> [SelfCheck] {
        let checks = [
            ("differences of the gradient", differences), ("precision of products", rounding),
            ("symmetry", symmetry), ("repeated products", repetition), ("partition into batches", partition),
            ("Hessian = Gauss-Newton + residual", split), ("moments", moments), ("duality", duality),
        ]
        return try checks.map { name, check in
            progress(name)
            return try check()
        }
    }

    private var roundoff: Double { precision == .float32 ? 1e-5 : 1e-12 }

    private func direction(_ number: Int) -> [Double] {
        var random = RandomStream(seed: seed, purpose: "self-test direction \(number)")
        return random.normals(risk.space.dimension)
    }

    private func product(_ matrix: any LinearOperator, _ vector: [Double]) throws -> [Double] {
        let space = matrix.space, result = try space.vector()
        try matrix.apply(space.backend.upload(vector, space.precision).all, into: result.all)
        return try space.backend.download(result.all)
    }

    private func differences() throws -> SelfCheck {
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

    private func rounding() throws -> SelfCheck {
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

    private func symmetry() throws -> SelfCheck {
        let u = direction(2), v = direction(3)
        let hu = try product(hessian, u), hv = try product(hessian, v)
        let scale = length(u) * length(hv) + length(hu) * length(v)
        return SelfCheck(
            name: "symmetry", comparison: "⟨u, Hv⟩ and ⟨Hu, v⟩ for random u, v",
            difference: scale > 0 ? abs(dot(u, hv) - dot(hu, v)) / scale : 0, bound: roundoff,
            failure:
                "products are not those of one symmetric matrix: Lanczos results cannot be trusted. The model may not be "
                + "deterministic, or a derivative is wrong.")
    }

    private func repetition() throws -> SelfCheck {
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

    private func partition() throws -> SelfCheck {
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

    private func split() throws -> SelfCheck {
        let v = direction(6), whole = try product(hessian, v)
        let gaussNewton = try product(CurvatureOperator(.gaussNewton, of: risk), v)
        let residual = try product(CurvatureOperator(.residual, of: risk), v)
        let scale = length(gaussNewton) + length(residual)
        let difference = length(zip(zip(gaussNewton, residual).map(+), whole).map(-))
        return SelfCheck(
            name: "Hessian = Gauss-Newton + residual",
            comparison: "G·v ≥ 0 along v, and H·v against G·v + R·v, three programs",
            difference: dot(v, gaussNewton) < -roundoff * length(v) * length(gaussNewton)
                ? .infinity : scale > 0 ? difference / scale : 0, bound: 10 * roundoff,
            failure:
                "the three matrices do not belong together, or the Gauss-Newton matrix has negative curvature, which it "
                + "cannot have with a convex loss.")
    }

    private func moments() throws -> SelfCheck {
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
            if size > 0 { worst = greater(worst, abs(dot(unit, power) - rule) / size) }
        }
        return SelfCheck(
            name: "moments of a Lanczos factorisation",
            comparison:
                "⟨v, Aᵏ·v⟩ by products and by the quadrature of \(steps) steps, k < \(2 * steps)",
            difference: worst, bound: 1e-10,
            failure: "Lanczos does not belong to this operator: densities and traces of functions are wrong.")
    }

    private func duality() throws -> SelfCheck {
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

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

private func length(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

/// The larger number; not a number if one is not.
private func greater(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : max(a, b) }

/// `‖a − b‖/‖b‖`, and 0 where both are zero.
private func relative(_ a: [Double], _ b: [Double]) -> Double {
    let difference = length(zip(a, b).map(-)), scale = length(b)
    return scale > 0 ? difference / scale : difference == 0 ? 0 : .infinity
}
