import Analysis
import Backend
import Foundation
import Planner
import Report

/// Loss and accuracy of predictions, where targets and labels are there.
struct RegressionScore: Sendable {
    let loss: Double?
    let accuracy: Double?

    /// The score of values `[N, O]`: `1/(2N) Σ‖f − y‖²`, and how often the greatest output is the label's.
    init(_ values: [Double], _ truth: [Double]?, _ labels: [Int]?, _ outputs: Int) {
        let count = Double(max(1, values.count / max(1, outputs)))
        loss = truth.map { zip(values, $0).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / (2 * count) }
        accuracy = labels.map { labels in
            let correct = labels.enumerated().count { sample, label in
                let row = values[sample * outputs..<(sample + 1) * outputs]
                // The first of equal outputs counts; one that is not a number is never right.
                guard row.allSatisfy({ !$0.isNaN }), let top = row.max() else { return false }
                return row.firstIndex(of: top).map { $0 - row.startIndex } == label
            }
            return Double(correct) / count
        }
    }
}

/// Everything that a regression has found.
struct RegressionResult {
    let targets: KernelTargets
    let precision: Precision, device: String
    var testSamples: Int?
    var spectra: [KernelSpectrum] = [], flows: [KernelFlow] = []
    var coefficients: [[Double]] = []
    var ridge = 0.0, method = KernelSolution.Method.cholesky
    var rank: Int?, conditionNumber: Double?, residual = 0.0, lambdaMax = 0.0
    var iterations: Int?, applications: Int?, preconditionerRank: Int?
    var alignment: Double?, centredAlignment: Double?, shares: LabelShares?
    /// Of all systems the largest.
    var roundingBound: Double?
    var learningRate: Double?
    var times: [Double] = []
    var start = RegressionScore([], nil, nil, 1), heldStart: RegressionScore?
    var train = RegressionScore([], nil, nil, 1), test: RegressionScore?
    var trainCurve: [RegressionScore] = [], testCurve: [RegressionScore] = []
    var trainPredictions: [Double] = [], predictions: [Double]?, flow: [[Double]] = []

    init(_ targets: KernelTargets, _ precision: Precision, _ device: String) {
        (self.targets, self.precision, self.device) = (targets, precision, device)
    }

    /// What the solver found.
    mutating func take(_ solved: RegressionSolver.Solved, _ spectra: [KernelSpectrum]) {
        (coefficients, ridge, method) = (solved.coefficients, solved.ridge, solved.method)
        (rank, conditionNumber) = (solved.rank, solved.conditionNumber)
        (residual, lambdaMax) = (solved.residual, solved.lambdaMax)
        (iterations, applications) = (solved.iterations, solved.applications)
        preconditionerRank = solved.preconditionerRank
        // Exact where it is known: with the eigenvalues, and of one system.
        if method == .cholesky, let spectrum = spectra.first, spectra.count == 1,
            spectrum.rank == spectrum.size
        {
            conditionNumber =
                (spectrum.values[0] + ridge) / (spectrum.values[spectrum.size - 1] + ridge)
        }
    }

    /// Alignment of kernels and targets, and how far rounding may move an eigenvalue, if the kernels are in memory.
    mutating func addAlignment(_ matrices: [[Double]], _ truth: [Double], epsilon: Double) {
        guard !matrices.isEmpty else { return }
        roundingBound = matrices.reduce(0) { largest, matrix in
            let norm = HostLinearAlgebra.oneNorm(matrix, targets.rows)
            return max(
                largest, KernelSpectrum.roundingBound(targets.rows, oneNorm: norm, epsilon: epsilon))
        }
        let centred = targets.centred(truth)
        var (plain, middle) = (TargetAlignment(), TargetAlignment())
        for (plane, matrix) in matrices.enumerated() {
            plain.add(
                matrix, targets.rows, targets: targets.columns(of: truth, plane: plane),
                columns: targets.columns)
            middle.add(
                matrix, targets.rows, targets: targets.columns(of: centred, plane: plane),
                columns: targets.columns, centredIn: targets.groups, epsilon: epsilon)
        }
        (alignment, centredAlignment) = (plain.value, middle.value)
        if !spectra.isEmpty { shares = LabelShares(spectra, targets, values: centred) }
    }

    /// `Σ λ/(λ + ridge)` over all systems.
    var effectiveDimension: Double? {
        spectra.isEmpty ? nil : spectra.reduce(0) { $0 + $1.effectiveDimension(ridge: ridge) }
    }
}

/// A number for a message.
func formatted(_ value: Double) -> String { formatSignificant(value, digits: 6) }
