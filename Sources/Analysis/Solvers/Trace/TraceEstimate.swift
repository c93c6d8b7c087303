import Backend
import Data
import Planner

/// A trace from products with random vectors.
public struct TraceEstimate: Sendable {
    /// The estimate.
    public let mean: Double
    /// Its standard error; not a number where one vector tells nothing about it.
    public let standardError: Double
    /// The interval that holds the trace with the confidence asked for.
    public let interval: (lower: Double, upper: Double)
    /// Products with the operator.
    public let products: Int
    /// Whether the interval is as narrow as was asked for; true where nothing was.
    public let isConverged: Bool

    /// Estimates a trace.
    ///
    /// - Parameter progress: told products and the estimate so far, at every look.
    public static func estimate(
        _ matrix: any LinearOperator, _ options: TraceOptions,
        progress: (_ products: Int, _ mean: Double, _ standardError: Double) -> Void = { _, _, _ in }
    ) throws(BackendError) -> TraceEstimate {
        precondition(options.products > 0, "a trace from \(options.products) products")
        let process: any TraceProcess
        switch options.method {
        case .hutchinson: process = HutchinsonProcess(matrix, seed: options.seed)
        case .hutchPlusPlus: process = HutchPlusPlusProcess(matrix, options)
        case .xtrace: process = XTraceProcess(matrix, seed: options.seed)
        }
        var found: TraceEstimate?
        for look in options.looks {
            try process.spend(look)
            let (estimate, isExact) = process.estimate
            let (lower, upper) = estimate.interval(confidence: options.confidence)
            let reach = isExact ? 2 * estimate.standardError : (upper - lower) / 2
            let isConverged = options.tolerance.map { reach <= $0 * abs(estimate.mean) } ?? true
            found = TraceEstimate(
                mean: estimate.mean, standardError: estimate.standardError,
                interval: (estimate.mean - reach, estimate.mean + reach), products: process.products,
                isConverged: isConverged)
            progress(process.products, estimate.mean, estimate.standardError)
            if isExact || (isConverged && options.tolerance != nil) { break }
        }
        return found!
    }

    /// The trace of A: the mean of `⟨z, A·z⟩`.
    public static func hutchinson(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64
    ) throws(BackendError) -> MeanEstimate {
        MeanEstimate(try RandomForms(matrix, seed: seed).quadratic(probes))
    }

    /// The trace of A², which is the sum of squares of its entries: the mean of `‖A·z‖²`.
    ///
    /// Eigenpairs that are known count exactly, and vectors are made orthogonal to them: what dominates the sum then has
    /// no part in its error (the deflation of Hutch++, Meyer et al. 2021).
    public static func squared(
        _ matrix: any LinearOperator, probes: Int, seed: UInt64, known: Eigenpairs? = nil
    ) throws(BackendError) -> MeanEstimate {
        let exact = known?.values.reduce(0) { $0 + $1 * $1 } ?? 0
        let forms = RandomForms(
            matrix, seed: seed, avoiding: known.map { ($0.vectors, $0.values.count) })
        return MeanEstimate(try forms.squares(probes).map { exact + $0 })
    }
}

/// An estimate that grows with the products it is given.
private protocol TraceProcess: AnyObject {
    /// Products spent.
    var products: Int { get }
    /// Goes on until `products` are spent.
    func spend(_ products: Int) throws(BackendError)
    /// What is known now, and whether it is exact up to rounding.
    var estimate: (MeanEstimate, isExact: Bool) { get }
}

private final class HutchinsonProcess: TraceProcess {
    private let forms: RandomForms
    private var samples: [Double] = []
    init(_ matrix: any LinearOperator, seed: UInt64) { forms = RandomForms(matrix, seed: seed) }
    var products: Int { samples.count }
    func spend(_ products: Int) throws(BackendError) {
        samples += try forms.quadratic(products - samples.count)
    }
    var estimate: (MeanEstimate, isExact: Bool) { (MeanEstimate(samples), false) }
}

private final class XTraceProcess: TraceProcess {
    private let matrix: any LinearOperator, seed: UInt64
    private var sketch: TraceSketch?
    init(_ matrix: any LinearOperator, seed: UInt64) { (self.matrix, self.seed) = (matrix, seed) }
    var products: Int { sketch?.products ?? 0 }
    func spend(_ products: Int) throws(BackendError) {
        let sketch = if let known = self.sketch { known } else { try TraceSketch(matrix, seed: seed) }
        self.sketch = sketch
        try sketch.extend(by: max(1, products / 2) - sketch.count)
    }
    var estimate: (MeanEstimate, isExact: Bool) {
        guard let sketch else { return (MeanEstimate([]), false) }
        if sketch.isComplete { return (sketch.completed, true) }
        return (sketch.statistics.estimate, false)
    }
}

private final class HutchPlusPlusProcess: TraceProcess {
    private let matrix: any LinearOperator, seed: UInt64, rank: Int
    private var sketch: TraceSketch?
    private var forms: RandomForms?
    private var samples: [Double] = []
    init(_ matrix: any LinearOperator, _ options: TraceOptions) {
        (self.matrix, seed) = (matrix, options.seed)
        // A third of the products makes the sketch, a third its core; the first look shares them in the same way.
        rank = max(1, (options.looks.first ?? options.products) / 3)
    }
    var products: Int { (sketch?.products ?? 0) + samples.count }
    func spend(_ products: Int) throws(BackendError) {
        let sketch = if let known = self.sketch { known } else { try TraceSketch(matrix, seed: seed) }
        self.sketch = sketch
        if sketch.count == 0 { try sketch.extend(by: rank) }
        if sketch.isComplete { return }
        let forms =
            if let known = self.forms { known } else {
                RandomForms(matrix, seed: seed, avoiding: (sketch.basis, sketch.count))
            }
        self.forms = forms
        samples += try forms.quadratic(max(samples.isEmpty ? 1 : 0, products - self.products))
    }
    var estimate: (MeanEstimate, isExact: Bool) {
        guard let sketch else { return (MeanEstimate([]), false) }
        let core = sketch.statistics.coreTrace
        return sketch.isComplete
            ? (sketch.completed, true) : (MeanEstimate(samples.map { core + $0 }), false)
    }
}
