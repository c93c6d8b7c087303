import ArgumentParser
import Models
import Training

extension Schedule.Kind: ExpressibleByArgument {}

/// How to train, as flags.
struct TrainingArguments: ParsableArguments {
    enum Rule: String, ExpressibleByArgument, CaseIterable { case sgd, adam }

    @Option(help: "Passes over the data; may be fractional.")
    var epochs = 10.0

    @Option(help: "sgd or adam.")
    var optimizer: Rule = .sgd

    @Option(help: "Learning rate; 0.02 for sgd and 0.001 for adam unless given.")
    var learningRate: Double?

    @Option(help: "Momentum of sgd; 0.9 unless given.")
    var momentum: Double?

    @Flag(help: "Nesterov's momentum.")
    var nesterov = false

    @Option(help: "Coupled L2 decay of all parameters.")
    var weightDecay = 0.0

    @Option(help: "constant, step or cosine.")
    var schedule: Schedule.Kind = .constant

    @Option(help: "Epochs of linear warm-up.")
    var warmup = 0.0

    @Option(parsing: .upToNextOption, help: "Epochs at which the step schedule lowers the rate.")
    var milestones: [Double] = []

    @Option(help: "What the step schedule multiplies the rate by.")
    var decayFactor = 0.1

    func validate() throws {
        if !(epochs > 0 && epochs <= 1e6) {
            throw ValidationError("--epochs is positive and at most a million, found \(epochs)")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw ValidationError("--learning-rate is positive, found \(learningRate)")
        }
        if let momentum, !(0..<1).contains(momentum) {
            throw ValidationError("--momentum lies in [0, 1), found \(momentum)")
        }
        if !(weightDecay >= 0 && weightDecay.isFinite) {
            throw ValidationError("--weight-decay is at least 0, found \(weightDecay)")
        }
        if !(warmup >= 0 && warmup.isFinite) {
            throw ValidationError("--warmup is at least 0, found \(warmup)")
        }
        if let bad = milestones.first(where: { !($0 >= 0 && $0.isFinite) }) {
            throw ValidationError("--milestones are epochs of at least 0, found \(bad)")
        }
        if !(decayFactor > 0 && decayFactor.isFinite) {
            throw ValidationError("--decay-factor is positive, found \(decayFactor)")
        }
        if schedule != .step, !milestones.isEmpty {
            throw ValidationError("--milestones go with --schedule step")
        }
        if schedule == .step, milestones.isEmpty {
            throw ValidationError("--schedule step needs --milestones")
        }
        if schedule != .step, decayFactor != 0.1 {
            throw ValidationError("--decay-factor goes with --schedule step")
        }
        if optimizer != .sgd, momentum != nil || nesterov {
            throw ValidationError("--momentum and --nesterov go with --optimizer sgd")
        }
        if nesterov, momentum == 0 {
            throw ValidationError("--nesterov needs a --momentum above 0")
        }
    }

    /// The options of a training.
    func options(_ common: CommonOptions, _ loss: Loss, _ attack: Attack?) -> TrainingOptions {
        let rule: Optimizer =
            switch optimizer {
            case .sgd: .sgd(momentum: momentum ?? 0.9, isNesterov: nesterov)
            case .adam: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
            }
        let rate = learningRate ?? (optimizer == .sgd ? 0.02 : 0.001)
        return TrainingOptions(
            optimizer: rule,
            schedule: Schedule(
                schedule, rate: rate, warmup: warmup, milestones: milestones, factor: decayFactor),
            weightDecay: weightDecay, epochs: epochs, batchSize: common.batchSize, seed: common.seed,
            loss: loss,
            attack: attack)
    }
}
