import Backend
import Planner

/// The recurrence of conjugate gradients for one right-hand side.
final class ConjugateColumn {
    /// The iterate, the search direction, and room for the product of the operator with either.
    private(set) var solution: DeviceArray, direction: DeviceArray
    let product: DeviceArray
    /// `‖b − A·x‖/‖b‖`, as the recurrence has it until it is verified.
    private(set) var residual: Double
    private(set) var iterations = 0
    private(set) var isDone: Bool

    private let space: VectorSpace
    private let preconditioner: NystromPreconditioner?
    private let tolerance: Double
    private let right: DeviceArray, norm: Double
    private var remainder: DeviceArray, preconditioned: DeviceArray, spare: DeviceArray
    /// ⟨remainder, preconditioned⟩.
    private var rho = 0.0
    /// The true residual at the last look.
    private var verified = Double.infinity

    init(
        _ values: [Double], _ space: VectorSpace, _ preconditioner: NystromPreconditioner?, tolerance: Double
    ) throws(BackendError) {
        (self.space, self.preconditioner, self.tolerance) = (space, preconditioner, tolerance)
        solution = try space.vector()
        direction = try space.vector()
        product = try space.vector()
        preconditioned = try space.vector()
        spare = try space.vector()
        right = try space.backend.upload(values, space.precision)
        remainder = try space.backend.upload(values, space.precision)
        norm = try space.norm(right.all)
        guard norm.isFinite else {
            throw BackendError(.program, "a right-hand side of conjugate gradients is not finite")
        }
        isDone = norm == 0
        residual = isDone ? 0 : 1
        if !isDone { try begin() }
    }

    /// Whether the recurrence claims to be done: a little below the tolerance, so that the true residual is not just above it.
    var seemsDone: Bool { residual <= 0.9 * tolerance }

    /// One iteration, once `product` holds `A·direction`.
    func step() throws(BackendError) {
        iterations += 1
        let curvature = try space.dot(direction.all, product.all)
        let scale = try space.norm(direction.all) * space.norm(product.all)
        guard curvature.isFinite, scale.isFinite else {
            throw BackendError(
                .device,
                "the operator gave a vector that is not finite at conjugate-gradient step \(iterations)")
        }
        guard curvature > 4 * space.precision.epsilon * scale else {
            throw BackendError(
                .program,
                "the operator is indefinite or singular to \(space.precision.rawValue): a direction has the curvature "
                    + "\(curvature) at conjugate-gradient step \(iterations), with a relative residual of \(residual)"
            )
        }
        let length = rho / curvature
        try update(&solution, length, direction)
        try update(&remainder, -length, product)
        residual = try space.norm(remainder.all) / norm
        if !seemsDone {
            let before = rho
            try precondition()
            try space.add(preconditioned.all, rho / before, direction.all, into: spare.all)
            swap(&direction, &spare)
        }
    }

    /// Computes the residual anew, once `product` holds `A·solution`.
    func verify() throws(BackendError) {
        try space.add(right.all, -1, product.all, into: remainder.all)
        residual = try space.norm(remainder.all) / norm
        isDone = residual <= tolerance
        if isDone { return }
        guard residual <= 0.5 * verified else {
            throw BackendError(
                .device,
                "conjugate gradients stagnate at a relative residual of \(residual), above \(tolerance), after \(iterations) "
                    + "iterations: this is what \(space.precision.rawValue) can do here; ask for less, or for more precision"
            )
        }
        verified = residual
        try begin()
    }

    /// Starts from the remainder.
    private func begin() throws(BackendError) {
        try precondition()
        try space.backend.copy(preconditioned.all, to: direction.all)
    }

    private func precondition() throws(BackendError) {
        if let preconditioner {
            try preconditioner.apply(remainder.all, into: preconditioned.all)
        } else {
            try space.backend.copy(remainder.all, to: preconditioned.all)
        }
        rho = try space.dot(remainder.all, preconditioned.all)
        guard rho > 0, rho.isFinite else {
            throw BackendError(
                .device,
                "the preconditioner lost its positive definiteness to rounding at conjugate-gradient step \(iterations): a "
                    + "smaller rank or more precision may help")
        }
    }

    /// `target += factor·vector`.
    private func update(
        _ target: inout DeviceArray, _ factor: Double, _ vector: DeviceArray
    ) throws(BackendError) {
        try space.add(target.all, factor, vector.all, into: spare.all)
        swap(&target, &spare)
    }
}
