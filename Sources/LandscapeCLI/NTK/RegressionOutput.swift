import Analysis
import Foundation
import Report

/// What `--json` prints and the folder keeps.
struct RegressionOutput: Encodable {
    /// Loss and accuracy at all times.
    struct Curve: Encodable {
        var trainLoss: [Double]
        var trainAccuracy: [Double]?
        var testLoss: [Double]?
        var testAccuracy: [Double]?
    }

    let samples: Int, testSamples: Int?, outputs: Int
    let kind: String, rows: Int, systems: Int
    let ridge: Double, solver: String, rank: Int?
    let conditionNumber: Double?, roundingBound: Double?, trainingResidual: Double
    let iterations: Int?, applications: Int?, preconditionerRank: Int?
    let startLoss: Double?, startTestLoss: Double?
    let trainLoss: Double?, trainAccuracy: Double?, testLoss: Double?, testAccuracy: Double?
    let lambdaMax: Double, maxLearningRate: Double
    let effectiveDimension: Double?
    let kernelTargetAlignment: Double?, centredAlignment: Double?
    let modesForHalf: Int?, modesForNineTenths: Int?
    let lossOutsideSpan: Double?
    let learningRate: Double?, times: [Double]?, curve: Curve?
    let device: String, precision: String

    init(_ result: RegressionResult) {
        let targets = result.targets
        (samples, testSamples, outputs) = (targets.samples, result.testSamples, targets.outputs)
        (kind, rows, systems) = (targets.kind.rawValue, targets.rows, targets.planes)
        (ridge, solver, rank) = (result.ridge, result.method.rawValue, result.rank)
        (conditionNumber, roundingBound) = (result.conditionNumber, result.roundingBound)
        trainingResidual = result.residual
        (iterations, applications) = (result.iterations, result.applications)
        preconditionerRank = result.preconditionerRank
        (startLoss, startTestLoss) = (result.start.loss, result.heldStart?.loss)
        (trainLoss, trainAccuracy) = (result.train.loss, result.train.accuracy)
        (testLoss, testAccuracy) = (result.test?.loss, result.test?.accuracy)
        lambdaMax = result.lambdaMax
        maxLearningRate = LearningRate.largestStable(lambdaMax: result.lambdaMax, samples: targets.samples)
        effectiveDimension = result.effectiveDimension
        (kernelTargetAlignment, centredAlignment) = (result.alignment, result.centredAlignment)
        modesForHalf = result.shares?.modes(holding: 0.5)
        modesForNineTenths = result.shares?.modes(holding: 0.9)
        lossOutsideSpan = result.flows.isEmpty ? nil : result.flows.reduce(0) { $0 + $1.lossOutsideSpan }
        learningRate = result.learningRate
        times = result.flows.isEmpty ? nil : result.times
        func all(_ scores: [RegressionScore], _ part: (RegressionScore) -> Double?) -> [Double]? {
            let values = scores.compactMap(part)
            return values.isEmpty ? nil : values
        }
        curve =
            result.flows.isEmpty
            ? nil
            : Curve(
                trainLoss: result.trainCurve.compactMap(\.loss),
                trainAccuracy: all(result.trainCurve, \.accuracy), testLoss: all(result.testCurve, \.loss),
                testAccuracy: all(result.testCurve, \.accuracy))
        (device, precision) = (result.device, result.precision.rawValue)
    }

    /// The table.
    func rows(folder: String?) -> [(String, String)] {
        func number(_ name: String, _ value: Double?) -> [(String, String)] {
            value.map { [(name, formatted($0))] } ?? []
        }
        func count(_ name: String, _ value: Int?) -> [(String, String)] {
            value.map { [(name, "\($0)")] } ?? []
        }
        let size = "\(systems > 1 ? "\(systems) of " : "")\(rows) × \(rows), \(kind)"
        var table = [("kernel", size), ("ridge", formatted(ridge))]
        let full = rows * systems
        table.append(
            ("solver", rank.map { $0 < full ? "\(solver), rank \($0) of \(full)" : solver } ?? solver))
        table += count("iterations", iterations) + count("preconditioner rank", preconditionerRank)
        table += number("condition number", conditionNumber) + number("rounding bound", roundingBound)
        table += number("training residual", trainingResidual)
        table += number("loss at the start", startLoss) + number("training loss", trainLoss)
        table += number("training accuracy", trainAccuracy)
        table += number("held-out loss at the start", startTestLoss) + number("held-out loss", testLoss)
        table += number("held-out accuracy", testAccuracy)
        table += number("largest eigenvalue", lambdaMax)
        table += number("largest stable learning rate", maxLearningRate)
        table += number("effective dimension", effectiveDimension)
        table += number("kernel-target alignment", kernelTargetAlignment)
        table += number("the same, centred", centredAlignment)
        table += count("modes with half of the targets", modesForHalf)
        table += count("modes with 90 % of them", modesForNineTenths)
        table += number("loss outside the span", lossOutsideSpan)
        table.append(("folder", folder ?? "none: give --output to keep arrays and figures"))
        return table
    }
}
