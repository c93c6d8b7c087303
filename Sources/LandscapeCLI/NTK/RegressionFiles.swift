import Analysis
import Data
import Foundation
import Report

/// The folder of a regression: arrays, metrics and figures.
struct RegressionFiles {
    private let result: RegressionResult

    init(_ result: RegressionResult) { self.result = result }

    /// Every run writes this one.
    private static let mark = "regression.json"
    private static let always = ["train-predictions.npy", "coefficients.npy"]
    /// Files that not every regression has.
    private static let optional =
        [
            "predictions.npy", "flow.npy", "times.npy", "eigenvalues.npy", "modes.npy", "mode-losses.npy",
            "label-shares.npy",
        ] + ["flow", "modes"].flatMap { ["\($0).gp", "\($0).dat", "\($0).svg"] }

    /// Makes the folder, before minutes are spent.
    static func prepare(_ path: String) throws -> ResultFolder {
        try ResultFolder(
            path, of: "ntk regress", mark: mark, replaces: always + optional, optional: optional)
    }

    func write(to folder: ResultFolder, _ filters: [SpectralFilter]) throws {
        var written: [String] = []
        func write(_ values: [Double], _ shape: [Int], _ name: String) throws {
            try Npy.write(NDArray(shape: shape, doubles: values), to: "\(folder.path)/\(name)")
            written.append(name)
        }
        let targets = result.targets, outputs = targets.outputs
        try write(result.trainPredictions, [targets.samples, outputs], "train-predictions.npy")
        var coefficients = [Double](repeating: 0, count: targets.samples * outputs)
        for (plane, columns) in result.coefficients.enumerated() {
            targets.place(columns, plane: plane, in: &coefficients)
        }
        try write(coefficients, [targets.samples, outputs], "coefficients.npy")
        if let predictions = result.predictions, let count = result.testSamples {
            try write(predictions, [count, outputs], "predictions.npy")
            if !result.flow.isEmpty {
                try write(
                    result.flow.flatMap { $0 }, [result.flow.count, count, outputs], "flow.npy")
            }
        }
        if !result.flows.isEmpty {
            try writeModes(filters, write)
            let figures = RegressionFigures(result)
            for figure in [figures.flow, figures.modes] {
                let drawn = try Gnuplot().draw(figure, in: URL(fileURLWithPath: folder.path))
                if let note = drawn.note { Console.note(note) }
                for suffix in ["gp", "dat", "svg"] { written.append("\(figure.name).\(suffix)") }
            }
        }
        try writeAtomically(
            [UInt8](JSON.encode(RegressionOutput(result))), to: "\(folder.path)/\(Self.mark)")
        try folder.removeOld(except: written)
    }

    private func writeModes(
        _ filters: [SpectralFilter], _ write: ([Double], [Int], String) throws -> Void
    ) throws {
        let targets = result.targets, stack = targets.planes > 1 ? [targets.planes] : []
        try write(result.times, [result.times.count], "times.npy")
        try write(result.spectra.flatMap(\.values), stack + [targets.rows], "eigenvalues.npy")
        try write(
            result.flows.flatMap(\.coefficients),
            stack + [targets.rows] + (targets.columns > 1 ? [targets.columns] : []), "modes.npy")
        try write(
            filters.flatMap { filter in result.flows.flatMap { $0.modeLosses(filter) } },
            [filters.count] + stack + [targets.rows], "mode-losses.npy")
        if let shares = result.shares {
            try write(
                shares.total + shares.perOutput.flatMap { $0 }, [1 + targets.outputs, targets.rows],
                "label-shares.npy")
        }
    }
}
