import Backend
import Foundation
import Graph
import Planner

/// The update rule, on the flat vector of weights.
public enum Optimizer: Sendable, Codable, Equatable {
    /// Stochastic gradient descent as in PyTorch: `m ← μm + g`, step `m`, or `g + μm` with Nesterov's momentum.
    case sgd(momentum: Double, isNesterov: Bool)
    /// Adam (Kingma and Ba 2015), bias-corrected.
    case adam(beta1: Double, beta2: Double, epsilon: Double)

    /// Vectors the rule keeps besides the weights.
    public var stateNames: [String] {
        switch self {
        case .sgd(let momentum, _): momentum == 0 ? [] : ["momentum"]
        case .adam: ["first-moment", "second-moment"]
        }
    }

    /// The update as a program on vectors of `count` elements: inputs `weights`, `gradient`, the state vectors
    /// and `coefficients` `[2]`; outputs the new weights and state vectors.
    func program(count: Int, weightDecay: Double) -> Program {
        .trace { t in
            let weights = t.input("weights", [count])
            var gradient = t.input("gradient", [count])
            if weightDecay != 0 { gradient = gradient + weights * weightDecay }
            let coefficients = t.input("coefficients", [2])
            func coefficient(_ index: Int) -> Tensor {
                coefficients.sliced(starts: [index], shape: [1]).broadcast(to: [count])
            }
            switch self {
            case .sgd(let momentum, let isNesterov):
                if momentum == 0 { return [("new weights", weights - coefficient(0) * gradient)] }
                let velocity = t.input("momentum", [count]) * momentum + gradient
                let step = isNesterov ? gradient + velocity * momentum : velocity
                return [("new weights", weights - coefficient(0) * step), ("new momentum", velocity)]
            case .adam(let beta1, let beta2, let epsilon):
                let first = t.input("first-moment", [count]) * beta1 + gradient * (1 - beta1)
                let second = t.input("second-moment", [count]) * beta2 + gradient * gradient * (1 - beta2)
                let scale = second.sqrt() * coefficient(1) + epsilon
                return [
                    ("new weights", weights - coefficient(0) * first / scale),
                    ("new first-moment", first), ("new second-moment", second),
                ]
            }
        }
    }

    /// The step's coefficients: the rate, and for Adam the corrections of step `step` (counted from 0).
    func coefficients(rate: Double, step: Int) -> [Double] {
        guard case .adam(let beta1, let beta2, _) = self else { return [rate, 0] }
        let t = Double(step + 1)
        return [rate / (1 - pow(beta1, t)), 1 / (1 - pow(beta2, t)).squareRoot()]
    }
}
