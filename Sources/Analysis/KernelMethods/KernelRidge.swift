import Backend

/// Dual coefficients of a kernel regression and what is known of their accuracy.
public struct KernelSolution: Sendable {
    /// How they were found.
    public enum Method: String, Sendable, Codable {
        /// By a Cholesky factor of `K + ridge·I`.
        case cholesky
        /// By the eigen-decomposition, leaving out modes that rounding cannot tell from zero: the solution of least norm
        /// `αᵀKα` among those with the least residual.
        case minimumNorm = "minimum norm"
        /// By preconditioned conjugate gradients.
        case conjugateGradients = "conjugate gradients"
    }

    /// α `[n, columns]` with `f(x) = f₀(x) + K(x, X)·α`.
    public let coefficients: [Double]
    /// How they were found.
    public let method: Method
    /// Modes of `K + ridge·I` that were used, where they were counted: n after a Cholesky factor, fewer if it is singular.
    public let rank: Int?
    /// Condition number of `K + ridge·I`, in the 1-norm and estimated after a Cholesky factor, else of the modes used.
    public let conditionNumber: Double?
    /// `‖(K + ridge·I)·α − r‖/‖r‖` over all columns, computed anew from α; 0 where `r` is zero.
    public let residual: Double

    /// A solution from its parts.
    public init(
        coefficients: [Double], method: Method, rank: Int?, conditionNumber: Double?, residual: Double
    ) {
        (self.coefficients, self.method, self.rank) = (coefficients, method, rank)
        (self.conditionNumber, self.residual) = (conditionNumber, residual)
    }
}

/// Kernel ridge regression by a dense factorisation on the host.
public enum KernelRidge {
    /// Solves `(K + ridge·I)·α = r` for a kernel `K` `[n, n]` and residuals `r = Y − f₀`, `[n, columns]`.
    ///
    /// `ridge` is added to the diagonal of the kernel as it is: with `mse = 1/(2N) Σ‖f − y‖²` it stands for weight decay
    /// `ridge/(2N)·‖θ − θ₀‖²`. No jitter is ever added: where `K + ridge·I` is singular to the precision `epsilon` of the
    /// entries, the solution is that of least norm, and says so.
    ///
    /// - Parameter spectrum: the decomposition of `K` if it is there, which saves the fallback its own.
    /// - Throws: if an entry is not finite, or if the kernel is indefinite.
    public static func solve(
        _ kernel: [Double], _ n: Int, _ right: [Double], columns: Int, ridge: Double, epsilon: Double,
        spectrum: KernelSpectrum? = nil
    ) throws(BackendError) -> KernelSolution {
        precondition(ridge >= 0, "a ridge of \(ridge)")
        precondition(right.count == n * columns, "\(right.count) right-hand sides of \(n)×\(columns)")
        // Then the smallest eigenvalue is above the rounding bound: 1/‖A⁻¹‖₁ is at most that.
        let limit = KernelSpectrum.roundingBound(n, oneNorm: 1, epsilon: epsilon)
        let factor = try HostLinearAlgebra.cholesky(kernel, n, shift: ridge)
        func solved(_ factor: CholeskyFactor) throws(BackendError) -> KernelSolution {
            let alpha = try factor.solve(right, columns: columns)
            return KernelSolution(
                coefficients: alpha, method: .cholesky, rank: n,
                conditionNumber: 1 / factor.reciprocalCondition,
                residual: residual(kernel, n, alpha, right, columns, ridge))
        }
        if let factor, factor.reciprocalCondition > limit { return try solved(factor) }
        let spectrum =
            if let spectrum { spectrum } else { try KernelSpectrum(kernel, n, epsilon: epsilon) }
        // With a ridge, null modes of K are modes of K + ridge·I, unless the ridge too is rounding.
        let used = spectrum.values.filter { $0 + ridge > spectrum.cutoff }
        // The 1-norm is the stricter judge; all modes may be sound all the same.
        if let factor, used.count == n { return try solved(factor) }
        var coefficients = spectrum.coefficients(of: right, columns: columns)
        for index in 0..<n {
            let factor = index < used.count ? 1 / (spectrum.values[index] + ridge) : 0
            for column in 0..<columns { coefficients[index * columns + column] *= factor }
        }
        let alpha = spectrum.combination(coefficients, columns: columns)
        return KernelSolution(
            coefficients: alpha, method: .minimumNorm, rank: used.count,
            conditionNumber: used.last.map { (spectrum.values[0] + ridge) / ($0 + ridge) },
            residual: residual(kernel, n, alpha, right, columns, ridge))
    }

    private static func residual(
        _ kernel: [Double], _ n: Int, _ alpha: [Double], _ right: [Double], _ columns: Int, _ ridge: Double
    ) -> Double {
        let product = HostLinearAlgebra.product(kernel, alpha, n, n, columns)
        var (left, size) = (0.0, 0.0)
        for index in right.indices {
            let error = product[index] + ridge * alpha[index] - right[index]
            left += error * error
            size += right[index] * right[index]
        }
        return size > 0 ? (left / size).squareRoot() : 0
    }
}
