import Graph

/// A loss of logits `[B, O]` and targets `[B, O]`, a mean over samples.
public enum Loss: String, Sendable, CaseIterable {
    /// Cross-entropy of the soft-max; targets are one-hot rows or probabilities.
    case crossEntropy = "cross-entropy"
    /// `½‖f(x) − y‖²` per sample.
    case mse

    /// The loss of every sample, `[B]`.
    public func perSample(_ logits: Tensor, _ targets: Tensor) -> Tensor {
        let batch = logits.shape[0]
        switch self {
        case .crossEntropy:
            // Σ targets is 1 for one-hot rows; written out, so that soft targets need not be normalised.
            return (targets * logits.logSoftmax(1)).sum([1]).reshaped([batch]) * -1
        case .mse:
            let error = logits - targets
            return (error * error).sum([1]).reshaped([batch]) * 0.5
        }
    }

    /// The weighted sum over samples, a scalar.
    public func total(_ logits: Tensor, _ targets: Tensor, weights: Tensor) -> Tensor {
        // A product of matrices: one step forward, and one back.
        let losses = perSample(logits, targets).reshaped([logits.shape[0], 1])
        return weights.reshaped([1, logits.shape[0]]).matmul(losses).reshaped([])
    }

    /// The loss as a program: inputs `logits`, `targets`, `weights` `[B]`; outputs `loss` and `losses` `[B]`.
    public func program(batchSize: Int, outputs: Int) -> Program {
        .trace { trace in
            let logits = trace.input("logits", [batchSize, outputs])
            let targets = trace.input("targets", [batchSize, outputs])
            let weights = trace.input("weights", [batchSize])
            return [
                ("loss", total(logits, targets, weights: weights)), ("losses", perSample(logits, targets)),
            ]
        }
    }
}
