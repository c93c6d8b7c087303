import Backend
import Planner

/// Solutions of `A·x = b` for a positive definite operator by preconditioned conjugate gradients (Hestenes and Stiefel 1952).
///
/// Every right-hand side has a recurrence of its own; all that are not done share the products with A. Iterates live on the
/// device, coefficients in float64 on the host. When a recurrence says that it is done, the residual is computed anew: if that
/// is still too large, the recurrence begins again from it, and if beginning again does not help, the solve fails.
public struct ConjugateGradients {
    /// Settings of a solve.
    public struct Options: Sendable {
        /// Largest `‖b − A·x‖/‖b‖` that is accepted; 1e-10 in float64 and 1e-5 in float32 unless given.
        public var tolerance: Double?
        /// Most iterations of a right-hand side; 1,000 or ten times the dimension, whichever is more, unless given.
        public var iterations: Int?

        /// The usual.
        public init(tolerance: Double? = nil, iterations: Int? = nil) {
            (self.tolerance, self.iterations) = (tolerance, iterations)
        }
    }

    /// One solution for every right-hand side.
    public let solutions: [[Double]]
    /// Iterations of every right-hand side.
    public let iterations: [Int]
    /// True relative residuals `‖b − A·x‖/‖b‖`, computed from the solutions; 0 where b is zero.
    public let residuals: [Double]
    /// Products with A in all, those for true residuals included.
    public let applications: Int

    /// Solves for all right-hand sides.
    ///
    /// - Parameters:
    ///   - matrix: A, ridge included.
    ///   - progress: told the iteration and the largest relative residual that is left.
    /// - Throws: if the operator shows itself indefinite or gives vectors that are not finite, or if the residual stagnates above
    ///   the tolerance.
    public static func solve(
        _ matrix: any LinearOperator, _ rightHandSides: [[Double]],
        preconditioner: NystromPreconditioner? = nil, _ options: Options = Options(),
        progress: (_ iteration: Int, _ residual: Double) -> Void = { _, _ in }
    ) throws(BackendError) -> ConjugateGradients {
        let precision = matrix.space.precision
        let tolerance = options.tolerance ?? (precision == .float64 ? 1e-10 : 1e-5)
        let most = options.iterations ?? max(1000, 10 * matrix.dimension)
        var columns: [ConjugateColumn] = []
        for right in rightHandSides {
            columns.append(
                try ConjugateColumn(right, matrix.space, preconditioner, tolerance: tolerance))
        }
        var iteration = 0, applications = 0
        while true {
            let open = columns.filter { !$0.isDone }
            if open.isEmpty { break }
            guard iteration < most else {
                throw BackendError(
                    .device,
                    "conjugate gradients stopped after \(most) iterations at a relative residual of "
                        + "\(open.map(\.residual).max() ?? .nan), above \(tolerance): a larger preconditioner rank, ridge or "
                        + "tolerance may help")
            }
            try matrix.apply(open.map(\.direction.all), into: open.map(\.product.all))
            for column in open { try column.step() }
            iteration += 1
            // What seems done is looked at.
            let ending = open.filter(\.seemsDone)
            if !ending.isEmpty {
                try matrix.apply(ending.map(\.solution.all), into: ending.map(\.product.all))
                for column in ending { try column.verify() }
            }
            applications += open.count + ending.count
            progress(iteration, open.map(\.residual).max() ?? 0)
        }
        var solutions: [[Double]] = []
        for column in columns { solutions.append(try matrix.space.backend.download(column.solution.all)) }
        return ConjugateGradients(
            solutions: solutions, iterations: columns.map(\.iterations), residuals: columns.map(\.residual),
            applications: applications)
    }
}
