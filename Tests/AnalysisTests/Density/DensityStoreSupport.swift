import Analysis
import Backend
import Foundation
import TestSupport
import Testing

/// The spectrum of runs that are kept.
let storedValues = ladder(90).map { $0 * $0 - 0.1 }

/// The density of an operator, kept in a folder if there is one.
func estimate(
    _ matrix: DiagonalOperator, _ folder: String? = nil, memory: BasisMemory? = nil, steps: Int = 20,
    probes: Int = 3, seed: UInt64 = 5, probe: DensityOptions.Probe = .gaussian, label: String = "",
    known: KnownEigenpairs? = nil
) throws -> SpectralDensity {
    try SpectralDensity.estimate(
        matrix, steps: steps, probes: probes, seed: seed, avoiding: known,
        options: DensityOptions(
            probe: probe, memory: memory, store: folder.map { DensityStore(folder: $0, label: label) }))
}

/// A folder of a run that was interrupted.
func interrupted(_ target: Target, at end: Int = 15, probes: Int = 3) throws -> String {
    let folder = try temporaryFolder()
    let matrix = try DiagonalOperator(storedValues, target)
    matrix.end = end
    #expect(throws: BackendError.self) { try estimate(matrix, folder, probes: probes) }
    return folder
}

/// Changes the bytes of a file.
func change(_ path: String, _ body: (inout Foundation.Data) -> Void) throws {
    var data = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
    body(&data)
    try data.write(to: URL(fileURLWithPath: path))
}
