import ArgumentParser
import Models
import Training

extension Attack.Norm: ExpressibleByArgument {}
extension Loss: ExpressibleByArgument {}

/// An attack on the inputs, which are pixels in [0, 1].
struct AttackOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable { case fgsm, pgd }

    @Option(help: "fgsm (one step) or pgd (several, from a random start). Without it, inputs stay clean.")
    var attack: Kind?

    @Option(help: "Radius of the attack; inputs lie in [0, 1].")
    var epsilon: Double?

    @Option(help: "linf or l2.")
    var attackNorm: Attack.Norm = .linf

    @Option(help: "Gradient steps of pgd.")
    var attackSteps = 10

    @Option(help: "Length of a step of pgd; 2.5·epsilon/steps unless given.")
    var attackStepSize: Double?

    func validate() throws {
        if attack != nil, epsilon == nil { throw ValidationError("--attack needs --epsilon") }
        if attack == nil, epsilon != nil { throw ValidationError("--epsilon goes with --attack fgsm or pgd") }
        if attack != .pgd, attackStepSize != nil || attackSteps != 10 {
            throw ValidationError("--attack-steps and --attack-step-size go with --attack pgd")
        }
        if let epsilon, !(epsilon >= 0 && epsilon.isFinite) {
            throw ValidationError("--epsilon is at least 0, found \(epsilon)")
        }
        if let attackStepSize, !(attackStepSize > 0 && attackStepSize.isFinite) {
            throw ValidationError("--attack-step-size is positive, found \(attackStepSize)")
        }
        if !(1...100_000).contains(attackSteps) {
            throw ValidationError("--attack-steps is between 1 and 100,000, found \(attackSteps)")
        }
    }

    /// The attack, if one was asked for.
    var chosen: Attack? {
        guard let attack, let epsilon else { return nil }
        switch attack {
        case .fgsm: return .fgsm(attackNorm, epsilon: epsilon)
        case .pgd: return .pgd(attackNorm, epsilon: epsilon, steps: attackSteps, stepSize: attackStepSize)
        }
    }
}
