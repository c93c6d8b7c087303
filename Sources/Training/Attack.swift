/// A bounded perturbation of inputs that raises the loss: FGSM (Goodfellow et al. 2015) or PGD (Madry et al. 2018).
public struct Attack: Sendable, Codable, Equatable {
    /// How a perturbation is measured.
    public enum Norm: String, Sendable, Codable, CaseIterable { case linf, l2 }

    /// How a perturbation is measured.
    public var norm: Norm
    /// Radius of the ball around a sample.
    public var epsilon: Double
    /// Gradient steps.
    public var steps: Int
    /// Length of a step.
    public var stepSize: Double
    /// Whether it starts from a random point of the ball.
    public var startsRandomly: Bool

    /// An attack from its parts.
    public init(norm: Norm, epsilon: Double, steps: Int, stepSize: Double, startsRandomly: Bool) {
        self.norm = norm
        self.epsilon = epsilon
        self.steps = steps
        self.stepSize = stepSize
        self.startsRandomly = startsRandomly
    }

    /// One step of full length from the sample itself.
    public static func fgsm(_ norm: Norm = .linf, epsilon: Double) -> Attack {
        Attack(norm: norm, epsilon: epsilon, steps: 1, stepSize: epsilon, startsRandomly: false)
    }

    /// Projected gradient ascent from a random start; the step is 2.5·ε/steps unless given (Madry et al. 2018).
    public static func pgd(_ norm: Norm = .linf, epsilon: Double, steps: Int, stepSize: Double? = nil)
        -> Attack
    {
        Attack(
            norm: norm, epsilon: epsilon, steps: steps,
            stepSize: stepSize ?? 2.5 * epsilon / Double(max(1, steps)),
            startsRandomly: true)
    }
}
