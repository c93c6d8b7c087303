import Backend
import Data
import Planner

/// The largest eigenvalues of an operator, each with its vector and its true residual.
public struct Eigenpairs {
    /// Largest algebraic first; an eigenvalue of multiplicity m is listed m times.
    public let values: [Double]
    /// `‖A·x − λ·x‖` for the unit vector `x` of each value.
    public let residuals: [Double]
    /// Unit vectors, one per row, in the order of `values`.
    public let vectors: DeviceArray
    /// Operator applications spent.
    public let applications: Int
    /// Whether every residual is below the tolerance.
    public let isConverged: Bool
}

/// Settings of the eigenvalue search.
public struct EigenpairOptions: Sendable {
    /// Residuals are accepted below this fraction of their eigenvalue, or below the rounding noise of the
    /// operator, 16 ε‖A‖, whichever is larger.
    public var tolerance: Double?
    /// Longest factorisation.
    public var steps: Int
    /// Seed of the start vectors.
    public var seed: UInt64

    /// Defaults: a tolerance that fits the precision, at most 300 steps.
    public init(tolerance: Double? = nil, steps: Int = 300, seed: UInt64 = 0) {
        (self.tolerance, self.steps, self.seed) = (tolerance, steps, seed)
    }
}

extension Eigenpairs {
    /// Finds the `count` largest eigenvalues by Lanczos with locking.
    ///
    /// One Krylov space holds a single copy of every eigenvalue. So what was found is locked and the search starts
    /// again in the complement, until nothing there exceeds the smallest value found: multiplicities come out.
    public static func largest(
        _ count: Int, of matrix: any LinearOperator, _ options: EigenpairOptions = EigenpairOptions()
    ) throws(BackendError) -> Eigenpairs {
        let space = matrix.space
        let count = min(count, matrix.dimension)
        let tolerance = options.tolerance ?? (space.precision == .float32 ? 1e-5 : 1e-10)
        let locked = try space.vectors(
            max(1, matrix.dimension < 2 * count + 16 ? matrix.dimension : 2 * count + 16))
        var values: [Double] = [], residuals: [Double] = []
        var applications = 0, norm = 0.0, round = 0
        let product = try space.vector(), residual = try space.vector()

        while values.count < min(matrix.dimension, locked.count / space.dimension) {
            var random = RandomStream(seed: options.seed, purpose: "Lanczos start \(round)")
            let krylov = try Krylov(
                matrix, start: random.normals(matrix.dimension), capacity: options.steps,
                avoiding: (locked, values.count))
            let missing = count - values.count
            let floor = missing > 0 ? -Double.infinity : values.sorted(by: >)[count - 1]
            let found = try search(krylov, max(1, missing), floor: floor) { value, krylovNorm in
                // Half of it: the true residual adds the noise of one more product.
                accepted(value, tolerance, max(norm, krylovNorm), space.precision) / 2
            }
            applications += krylov.steps
            norm = max(norm, krylov.norm)
            round += 1

            // What is new: as many as are missing, or whatever exceeds the smallest value so far.
            let margin = accepted(floor, tolerance, norm, space.precision)
            let fresh = found.filter { missing > 0 || $0.value > floor + margin }
            if fresh.isEmpty { break }
            for pair in fresh.prefix(missing > 0 ? missing : fresh.count)
            where values.count < locked.count / space.dimension {
                let row = space.row(values.count, of: locked)
                try krylov.lift(pair.vector, into: row)
                try matrix.apply(row, into: product.all)
                let value = try space.dot(row, product.all)
                try space.add(product.all, -value, row, into: residual.all)
                values.append(value)
                residuals.append(try space.norm(residual.all))
                applications += 1
            }
        }
        let order = Array(values.indices.sorted { values[$0] > values[$1] }.prefix(count))
        let vectors = try space.vectors(max(1, order.count))
        for (row, index) in order.enumerated() {
            try space.backend.copy(space.row(index, of: locked), to: space.row(row, of: vectors))
        }
        return Eigenpairs(
            values: order.map { values[$0] }, residuals: order.map { residuals[$0] }, vectors: vectors,
            applications: applications,
            isConverged: order.allSatisfy {
                residuals[$0] <= accepted(values[$0], tolerance, norm, space.precision)
            })
    }

    /// The residual at which an eigenvalue counts as found.
    private static func accepted(
        _ value: Double, _ tolerance: Double, _ norm: Double, _ precision: Precision
    ) -> Double {
        max(tolerance * (value.isFinite ? abs(value) : 0), 16 * precision.epsilon * norm)
    }

    /// Extends a factorisation until its `count` largest Ritz pairs are converged, or until none of them can
    /// exceed `floor`. Returns them, largest first.
    private static func search(
        _ krylov: Krylov, _ count: Int, floor: Double, _ accepted: (_ value: Double, _ norm: Double) -> Double
    ) throws(BackendError) -> [(value: Double, vector: [Double])] {
        while krylov.canExtend {
            try krylov.extend()
            guard krylov.steps >= count, krylov.steps % 4 == 0 || !krylov.canExtend else { continue }
            let (values, _, bounds) = try krylov.ritz()
            let top = values.indices.suffix(count)
            if top.allSatisfy({ bounds[$0] <= accepted(values[$0], krylov.norm) }) { break }
            // Checking for copies: a converging value well below the floor needs no more digits.
            if let last = values.indices.last, values[last] + bounds[last] < floor, krylov.steps >= 8 {
                break
            }
        }
        if krylov.steps == 0 { return [] }
        let (values, vectors, _) = try krylov.ritz()
        return values.indices.suffix(count).reversed().map { (values[$0], vectors[$0]) }
    }
}
