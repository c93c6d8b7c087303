import Backend
import Foundation

/// The Hessian of an adversarial loss `max_δ L(θ, x + δ)` that follows the attack as the weights move.
///
/// By Danskin's theorem the gradient of the maximum is the gradient at the maximiser `δ*(θ)`. Its derivative is taken by central
/// differences, the attack run again at either side: `(∇L(θ+hv, x+δ*(θ+hv)) − ∇L(θ−hv, x+δ*(θ−hv)))/2h`. An attack found by
/// signed or few steps moves in jumps, so products carry the noise of the attack, and symmetry holds only as far as it
/// maximises: look at the residuals. With the attack held, `Curvature.hessian` at the attacked inputs is exact.
public final class DanskinOperator: LinearOperator {
    private let risk: Risk
    private let attack: (_ parameters: DeviceSlice) throws(BackendError) -> [Double]
    private let relativeStep: Double
    private let norm: Double
    private let moved: DeviceArray, gradients: [DeviceArray]

    /// The operator.
    ///
    /// - Parameters:
    ///   - relativeStep: length of the step beside `‖θ‖`; the cube root of the precision's ε unless given.
    ///   - attack: the inputs of all samples `[N, …]` that maximise the loss at given weights.
    public init(
        _ risk: Risk, relativeStep: Double? = nil,
        attack: @escaping (_ parameters: DeviceSlice) throws(BackendError) -> [Double]
    ) throws(BackendError) {
        (self.risk, self.attack) = (risk, attack)
        self.relativeStep = relativeStep ?? cbrt(risk.space.precision.epsilon)
        norm = try risk.space.norm(risk.parameters.all)
        moved = try risk.space.vector()
        gradients = [try risk.space.vector(), try risk.space.vector()]
    }

    /// Number of weights.
    public var dimension: Int { risk.space.dimension }
    /// The space of weight vectors.
    public var space: VectorSpace { risk.space }

    /// `result = H·vector`. Afterwards the risk's inputs are those of an attack near its weights.
    public func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        let length = try space.norm(vector)
        guard length > 0 else { return try space.scale(0, vector, into: result) }
        let step = relativeStep * (norm > 0 ? norm : 1) / length
        for (side, gradient) in zip([step, -step], gradients) {
            try space.add(risk.parameters.all, side, vector, into: moved.all)
            try risk.data.set("x", attack(moved.all))
            _ = try risk.gradient(at: moved.all, into: gradient.all)
        }
        try space.add(gradients[0].all, -1, gradients[1].all, into: moved.all)
        try space.scale(1 / (2 * step), moved.all, into: result)
    }
}
