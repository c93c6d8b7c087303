import Backend
import Foundation
import Planner
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Folders from which a run cannot go on, and what is said of them.
    @Suite struct DensityRefusalTests {
        @Test(arguments: TestDevices.targets)
        func damageIsRefused(_ target: Target) throws {
            let row = 90 * target.precision.bytes
            for name in ["probe-0.vectors", "probe-0.json", "density.json"] {
                let folder = try interrupted(target)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                try change(folder + "/" + name) {
                    if name.hasSuffix("json") { $0.removeLast(30) } else { $0[3 * row + 9] ^= 1 }
                }
                let error = #expect(throws: BackendError.self) {
                    try estimate(DiagonalOperator(storedValues, target), folder)
                }
                #expect(
                    error?.kind == .file && error?.description.contains(folder + "/" + name) == true,
                    "\(String(describing: error))")
                #expect(error?.description.contains("delete it") == true)
            }
        }

        @Test(arguments: TestDevices.targets)
        func otherRunsAreRefused(_ target: Target) throws {
            let folder = try interrupted(target)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            func refused(_ words: String, _ body: () throws -> SpectralDensity) {
                let error = #expect(throws: BackendError.self) { try body() }
                let text = error?.description ?? ""
                #expect(error?.kind == .file && text.contains(folder) && text.contains(words), "\(text)")
            }
            func matrix(_ values: [Double] = storedValues) throws -> DiagonalOperator {
                try DiagonalOperator(values, target)
            }
            refused("the seed (5 before, 6 now)") { try estimate(matrix(), folder, seed: 6) }
            refused("the number of steps (20 before, 21 now)") { try estimate(matrix(), folder, steps: 21) }
            refused("the number of probes") { try estimate(matrix(), folder, probes: 4) }
            refused("the kind of probes") { try estimate(matrix(), folder, probe: .rademacher) }
            refused("the operator") { try estimate(matrix(), folder, label: "other") }
            refused("the dimension (90 before, 91 now)") { try estimate(matrix(ladder(91)), folder) }
            refused("the known eigenvalues") {
                let it = try matrix()
                let unit = try it.space.backend.upload(
                    [1] + [Double](repeating: 0, count: 89), target.precision)
                return try estimate(it, folder, known: KnownEigenpairs(values: [-0.1], vectors: unit))
            }
            let other = target.precision == .float32 ? Precision.float64 : .float32
            refused("the precision") {
                try estimate(DiagonalOperator(storedValues, on: target.open(), other), folder)
            }
            // An operator that differs in its values only.
            refused("step 14") { try estimate(matrix(storedValues.map { $0 * 1.001 }), folder) }
            // A record of another probe.
            try FileManager.default.copyItem(
                atPath: folder + "/probe-0.json", toPath: folder + "/probe-1.json")
            refused("the probe (0 before, 1 now)") { try estimate(matrix(), folder) }
        }

        @Test(arguments: TestDevices.selectors)
        func aFolderInUseIsRefused(_ selector: String) throws {
            let folder = try interrupted(Target(selector, .float32))
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let lock = open(folder + "/lock", O_RDWR)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
            let error = #expect(throws: BackendError.self) {
                try estimate(DiagonalOperator(storedValues, Target(selector, .float32)), folder)
            }
            #expect(error?.description.contains("in use") == true)
        }
    }
}
