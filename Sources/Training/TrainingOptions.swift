import Models

/// How a network is trained.
public struct TrainingOptions: Sendable, Codable, Equatable {
    /// The update rule.
    public var optimizer: Optimizer
    /// Learning rate over time.
    public var schedule: Schedule
    /// Coupled L2 decay: `weightDecay · θ` is added to the gradient, as in PyTorch.
    public var weightDecay: Double
    /// Passes over the data.
    public var epochs: Double
    /// Samples per step.
    public var batchSize: Int
    /// Seed of initial weights, of the order of samples and of attacks.
    public var seed: UInt64
    /// `cross-entropy` or `mse`.
    public var loss: Loss
    /// Trains on attacked inputs, if given.
    public var attack: Attack?

    /// Options from their parts.
    public init(
        optimizer: Optimizer = .sgd(momentum: 0.9, isNesterov: false), schedule: Schedule = Schedule(),
        weightDecay: Double = 0, epochs: Double = 10, batchSize: Int = 64, seed: UInt64 = 0,
        loss: Loss = .crossEntropy, attack: Attack? = nil
    ) {
        self.optimizer = optimizer
        self.schedule = schedule
        self.weightDecay = weightDecay
        self.epochs = epochs
        self.batchSize = batchSize
        self.seed = seed
        self.loss = loss
        self.attack = attack
    }

    /// Steps in one pass over `count` samples; the last one may be ragged.
    public func stepsPerEpoch(_ count: Int) -> Int { (count + batchSize - 1) / batchSize }

    /// Steps of the whole training.
    public func totalSteps(_ count: Int) -> Int { Int((epochs * Double(stepsPerEpoch(count))).rounded()) }
}

extension Loss: Codable {}
