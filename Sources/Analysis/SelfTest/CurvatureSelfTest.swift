import Backend
import Data
import Foundation
import Planner

/// Cross-checks of curvature on a user's own model and samples: every number that a spectrum is made of has to agree with another way
/// to compute it.
public final class CurvatureSelfTest {
    /// The mean loss of the model at its weights, made anew for a precision and a batch size.
    public typealias MakeRisk = (_ precision: Precision, _ batchSize: Int) throws -> Risk

    let make: MakeRisk
    let squared: MakeRisk
    let precision: Precision, batchSize: Int
    let seed: UInt64
    /// Float64 arithmetic, which references need.
    let wide: Risk
    let risk: Risk
    let hessian: CurvatureOperator, wideHessian: CurvatureOperator

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

    var roundoff: Double { precision == .float32 ? 1e-5 : 1e-12 }

    func direction(_ number: Int) -> [Double] {
        var random = RandomStream(seed: seed, purpose: "self-test direction \(number)")
        return random.normals(risk.space.dimension)
    }

    func product(_ matrix: any LinearOperator, _ vector: [Double]) throws -> [Double] {
        let space = matrix.space, result = try space.vector()
        try matrix.apply(space.backend.upload(vector, space.precision).all, into: result.all)
        return try space.backend.download(result.all)
    }
}
