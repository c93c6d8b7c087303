import Analysis
import Backend
import Data
import Planner
import Report

/// The eigenvalues of a spectrum and, where they are kept, its eigenvectors.
final class EigenvalueStage {
    private let options: MeasureCommand
    private let matrix: any LinearOperator
    private let folder: RunFolder?
    /// Eigenvectors that were found just now.
    private var vectors: DeviceArray?

    init(_ options: MeasureCommand, _ matrix: any LinearOperator, _ folder: RunFolder?) {
        (self.options, self.matrix, self.folder) = (options, matrix, folder)
    }

    /// Where the eigenvectors are kept; nil for nowhere.
    var vectorsPath: String? { folder?.path("eigenvectors.npy") ?? options.saveVectors }

    /// Where the search is kept while it runs.
    var statePath: String? { folder?.path("eigenvalues") }

    /// Finds them, from where an earlier start was killed.
    func run(_ count: Int) throws -> SpectrumStage.Eigenvalues {
        var settings = EigenpairOptions(
            tolerance: options.tolerance, acceptance: options.accept, blockSize: options.blockSize,
            seed: options.common.seed)
        settings.products = options.eigenvalueProducts
        let store = statePath
        let state = try store.flatMap { try EigenpairState.read($0) }
        if state != nil { Console.note("going on with the eigenvalues") }
        if store != nil { settings.saveEvery = 50 }
        let title = "\(count) eigenvalues"
        func keep(_ state: EigenpairState) throws(BackendError) {
            if let store { try state.write(to: store) }
        }
        let pairs = try Eigenpairs.find(
            options.which, count, of: matrix, settings, resuming: state,
            progress: { EigenvalueStage.tell(title, $0) }, save: store == nil ? nil : keep)
        vectors = pairs.vectors
        if let vectorsPath {
            var stream = try NpyStream(
                replacing: vectorsPath, shape: [pairs.values.count, matrix.dimension],
                isWide: options.common.precision == .float64)
            for row in pairs.rows { try stream.write(try matrix.space.backend.download(row)) }
            try stream.commit()
        }
        return SpectrumStage.Eigenvalues(
            values: pairs.values, residuals: pairs.residuals,
            intervals: pairs.errors.map {
                SpectrumOutput.Interval(lower: $0.interval.lowerBound, upper: $0.interval.upperBound)
            }, bounds: pairs.errors.map(\.bound), isConverged: pairs.isConverged,
            isComplete: pairs.isComplete, missRisk: pairs.missRisk,
            products: pairs.applications, copyProducts: pairs.checkApplications, history: pairs.history)
    }

    /// Eigenpairs that a density counts exactly: those that were found, if the residuals of all are small.
    func known(_ found: SpectrumStage.Eigenvalues) throws -> KnownEigenpairs? {
        guard found.isConverged, options.accept == .residuals, found.values.count < matrix.dimension else {
            return nil
        }
        let array = if let vectors { vectors } else { try storedVectors(found.values.count) }
        return KnownEigenpairs(values: found.values, vectors: array)
    }

    /// Eigenvectors of an earlier start, row by row.
    private func storedVectors(_ count: Int) throws -> DeviceArray {
        let path = vectorsPath ?? ""
        let space = matrix.space, file = try MappedMatrix(path)
        guard file.shape == [count, matrix.dimension] else {
            throw CommandError(
                "\(path): shape \(file.shape), expected [\(count), \(matrix.dimension)]; remove the folder and start again"
            )
        }
        let vectors = try space.vectors(count)
        for row in 0..<count {
            try space.backend.write(file.doubles(row..<row + 1), to: space.row(row, of: vectors))
        }
        return vectors
    }

    /// Between which neighbours of positive values, largest first, the factor is largest; nil for fewer than three.
    static func largestGap(_ values: [Double]) -> (count: Int, ratio: Double)? {
        let positive = values.prefix { $0 > 0 }
        guard positive.count > 2 else { return nil }
        return zip(positive, positive.dropFirst()).enumerated().map { ($0 + 1, $1.0 / $1.1) }.max {
            $0.1 < $1.1
        }
    }

    /// A line with the Ritz values that converge.
    static func tell(_ title: String, _ progress: EigenpairProgress) {
        let pairs = zip(progress.values, progress.bounds).prefix(4).map {
            "\(formatSignificant($0, digits: 4)) ± \(formatSignificant($1, digits: 1))"
        }
        Console.progress(
            "\(title): \(progress.products) products, \(progress.locked) found: \(pairs.joined(separator: ", "))"
        )
    }
}
