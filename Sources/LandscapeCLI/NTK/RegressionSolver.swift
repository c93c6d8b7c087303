import Analysis
import Backend
import Foundation

/// The regression of all systems by one solver.
struct RegressionSolver {
    private let options: RegressCommand
    private let kernels: RegressionKernels
    private let plan: RegressionPlan
    private let backend: any Backend

    init(
        _ options: RegressCommand, _ kernels: RegressionKernels, _ plan: RegressionPlan,
        on backend: any Backend
    ) {
        (self.options, self.kernels, self.plan, self.backend) = (options, kernels, plan, backend)
    }

    /// What all systems have in common, and the coefficients of each.
    struct Solved {
        /// `[n, columns]` of every system, and `K·α` as `[N, O]`.
        var coefficients: [[Double]] = [], fitted: [Double]
        var ridge: Double
        var method: KernelSolution.Method
        var rank: Int?
        var conditionNumber: Double?
        var residual = 0.0
        var lambdaMax = 0.0
        var iterations: Int?, applications: Int?, preconditionerRank: Int?
    }

    private var targets: KernelTargets { kernels.targets }

    /// Solves for residuals `[N, O]`.
    func solve(_ matrices: [[Double]], _ spectra: [KernelSpectrum], _ residual: [Double]) throws -> Solved {
        do {
            return plan.isIterative
                ? try iterative(matrices, residual) : try direct(matrices, spectra, residual)
        } catch let error as BackendError {
            guard let path = options.kernel, error.kind == .program else { throw error }
            throw CommandError("--kernel \(path): \(error)")
        }
    }

    private func direct(
        _ matrices: [[Double]], _ spectra: [KernelSpectrum], _ residual: [Double]
    ) throws -> Solved {
        let n = targets.rows, width = targets.columns
        let traces = matrices.map { matrix in { (0..<n).reduce(0.0) { $0 + matrix[$1 * (n + 1)] } } }
        var solved = Solved(
            fitted: [Double](repeating: 0, count: residual.count), ridge: try ridge(traces), method: .cholesky
        )
        for (plane, matrix) in matrices.enumerated() {
            let right = targets.columns(of: residual, plane: plane)
            Console.progress("Cholesky factor of \(n) rows")
            let solution = try KernelRidge.solve(
                matrix, n, right, columns: width, ridge: solved.ridge, epsilon: kernels.epsilon,
                spectrum: spectra.isEmpty ? nil : spectra[plane])
            Console.clear()
            solved.coefficients.append(solution.coefficients)
            targets.place(
                HostLinearAlgebra.product(matrix, solution.coefficients, n, n, width), plane: plane,
                in: &solved.fitted)
            // The weakest of all systems tells.
            if solution.method == .minimumNorm { solved.method = .minimumNorm }
            solved.rank = solution.rank.map { $0 + (solved.rank ?? 0) }
            solved.conditionNumber = max(
                solved.conditionNumber ?? 0, solution.conditionNumber ?? .infinity)
            solved.residual = max(solved.residual, solution.residual)
            let top =
                try spectra.isEmpty
                ? largest(DenseOperator(matrix, n, on: backend, options.common.precision))
                : spectra[plane].values.first ?? 0
            solved.lambdaMax = max(solved.lambdaMax, top)
        }
        return solved
    }

    private func iterative(_ matrices: [[Double]], _ residual: [Double]) throws -> Solved {
        let width = targets.columns, n = targets.rows
        let operators = try (0..<targets.planes).map { plane in
            try RegressionOperator.make(
                kernels, plane: plane, matrix: matrices.isEmpty ? nil : matrices[plane],
                memory: plan.deviceMemory / (2 * targets.planes), on: backend, options.common.precision)
        }
        var solved = Solved(
            fitted: [Double](repeating: 0, count: residual.count), ridge: try ridge(operators.map(\.trace)),
            method: .conjugateGradients)
        var (iterations, applications, rank) = (0, 0, 0)
        // The preconditioner's sketch and its factors lie on the host, a few arrays of n by rank.
        let most = min(max(1, n / 4), plan.deviceMemory / (2 * 8 * 8 * n))
        for (plane, matrix) in operators.map(\.product).enumerated() {
            let columns = HostLinearAlgebra.transposed(
                targets.columns(of: residual, plane: plane), n, width)
            let sketch =
                min(options.preconditionerRank, most) == 0
                ? nil
                : try NystromPreconditioner(
                    matrix, rank: min(options.preconditionerRank, most), ridge: solved.ridge,
                    seed: options.common.seed)
            let shifted = solved.ridge > 0 ? try ShiftedOperator(matrix, by: solved.ridge) : matrix
            let solution = try ConjugateGradients.solve(
                shifted, (0..<width).map { Array(columns[$0 * n..<($0 + 1) * n]) }, preconditioner: sketch,
                ConjugateGradients.Options(tolerance: options.tolerance)
            ) { Console.progress("conjugate gradients: iteration \($0), residual \(formatted($1))") }
            Console.clear()
            solved.coefficients.append(
                HostLinearAlgebra.transposed(solution.solutions.flatMap { $0 }, width, n))
            targets.place(
                HostLinearAlgebra.transposed(try products(matrix, solution.solutions), width, n),
                plane: plane,
                in: &solved.fitted)
            iterations = max(iterations, solution.iterations.max() ?? 0)
            applications += solution.applications
            rank = max(rank, sketch?.eigenvalues.count ?? 0)
            solved.residual = max(solved.residual, solution.residuals.max() ?? 0)
            solved.lambdaMax = max(solved.lambdaMax, try largest(matrix))
        }
        (solved.iterations, solved.applications, solved.preconditionerRank) = (iterations, applications, rank)
        return solved
    }

    /// `K·α` for every column, one after the other.
    private func products(_ matrix: any LinearOperator, _ columns: [[Double]]) throws -> [Double] {
        try columns.flatMap { column in
            let result = try matrix.space.vector()
            try matrix.apply(backend.upload(column, matrix.space.precision).all, into: result.all)
            return try backend.download(result.all)
        }
    }

    private func largest(_ matrix: any LinearOperator) throws -> Double {
        let found = try Eigenpairs.largest(
            1, of: matrix, EigenpairOptions(tolerance: 1e-6, steps: 100, seed: options.common.seed))
        return found.values.first ?? 0
    }

    private func ridge(_ traces: [() throws -> Double]) throws -> Double {
        guard let relative = options.relativeRidge else { return options.ridge ?? 0 }
        return try relative * traces.reduce(0) { try $0 + $1() } / Double(targets.rows * targets.planes)
    }
}
