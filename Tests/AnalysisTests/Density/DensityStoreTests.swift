import Backend
import Data
import Foundation
import Planner
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Runs that are interrupted end in the same bytes.
    @Suite struct DensityStoreTests {
        /// Interrupted in the first probe, in a later one and twice; one probe at a time and two side by side; with
        /// vectors in other places afterwards.
        @Test(arguments: TestDevices.targets, [1, 2])
        func interruptedRunsEndInTheSameBytes(_ target: Target, sideBySide: Int) throws {
            let whole = try estimate(DiagonalOperator(storedValues, target, blockSize: sideBySide))
            let row = 90 * target.precision.bytes
            for ends in [[1], [20, 5], [33, 10], [59]] {
                let folder = try temporaryFolder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                for end in ends {
                    let matrix = try DiagonalOperator(storedValues, target, blockSize: sideBySide)
                    matrix.end = end
                    #expect(throws: BackendError.self) { try estimate(matrix, folder) }
                }
                let matrix = try DiagonalOperator(storedValues, target, blockSize: sideBySide)
                let found = try estimate(
                    matrix, folder, memory: BasisMemory(device: 80 * row, host: 0, scratch: nil))
                #expect(try bytes(found) == bytes(whole), "interrupted at \(ends)")
                #expect(
                    matrix.count <= 60 - ends.reduce(0, +) + 4 * ends.count * sideBySide,
                    "interrupted at \(ends)")
                let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                #expect(names == ["density.json", "lock"] + (0..<3).map { "probe-\($0).json" })
                // Once more: nothing is left to do.
                let again = try DiagonalOperator(storedValues, target)
                #expect(try bytes(estimate(again, folder)) == bytes(whole) && again.count == 0)
            }
        }

        /// Probes that end early, beside others that do not.
        @Test(arguments: TestDevices.targets)
        func interruptedBesideFinishedProbes(_ target: Target) throws {
            let values = [1, 1, 1, 2, 2, 2, 3].map { Double($0) } + ladder(5, 4, 5)
            let whole = try estimate(DiagonalOperator(values, target, blockSize: 3))
            for end in [4, 9, 12] {
                let folder = try temporaryFolder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let matrix = try DiagonalOperator(values, target, blockSize: 3)
                matrix.end = end
                #expect(throws: BackendError.self) { try estimate(matrix, folder) }
                #expect(
                    try bytes(estimate(DiagonalOperator(values, target, blockSize: 3), folder))
                        == bytes(whole))
            }
        }

        @Test(arguments: TestDevices.targets)
        func aTornTailIsRolledBack(_ target: Target) throws {
            let whole = try estimate(DiagonalOperator(storedValues, target), probes: 1)
            let row = 90 * target.precision.bytes
            let tears: [(inout Foundation.Data) -> Void] = [
                { $0.removeLast(5) }, { $0.removeLast(3 * row + 1) }, { $0[$0.count - 7] ^= 4 },
                { $0 = Foundation.Data() }, { $0.append(contentsOf: [1, 2, 3]) },
            ]
            for tear in tears {
                let folder = try interrupted(target, probes: 1)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                try change(folder + "/probe-0.vectors", tear)
                #expect(
                    try bytes(estimate(DiagonalOperator(storedValues, target), folder, probes: 1))
                        == bytes(whole))
            }
        }

        /// Probes that run side by side may be torn at different steps: together they go back.
        @Test(arguments: TestDevices.targets)
        func oneOfTwoProbesIsTorn(_ target: Target) throws {
            let whole = try estimate(DiagonalOperator(storedValues, target, blockSize: 2), probes: 2)
            let row = 90 * target.precision.bytes
            for probe in 0..<2 {
                let folder = try temporaryFolder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let matrix = try DiagonalOperator(storedValues, target, blockSize: 2)
                matrix.end = 25
                #expect(throws: BackendError.self) { try estimate(matrix, folder, probes: 2) }
                try change(folder + "/probe-\(probe).vectors") { $0.removeLast(3 * row + 8) }
                let found = try estimate(
                    DiagonalOperator(storedValues, target, blockSize: 2), folder, probes: 2)
                #expect(try bytes(found) == bytes(whole))
            }
        }

        /// A process that is killed by the system, in the middle of a product or right after a vector was written.
        @Test(arguments: [7, 31])
        func killedProcesses(_ end: Int) async throws {
            let folder = try temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [folder = folder as String, end = end as Int] in
                let values = ladder(90).map { $0 * $0 - 0.1 }
                let matrix = try DiagonalOperator(values, on: CPUBackend(), .float32)
                (matrix.end, matrix.ending) = (end, { () throws(BackendError) in kill(getpid(), SIGKILL) })
                _ = try SpectralDensity.estimate(
                    matrix, steps: 20, probes: 3, seed: 5,
                    options: DensityOptions(store: DensityStore(folder: folder)))
            }
            try Foundation.Data([1]).write(to: URL(fileURLWithPath: folder + "/.landscape-1-2.tmp"))
            let target = Target("cpu", .float32)
            let matrix = try DiagonalOperator(storedValues, target)
            let found = try estimate(matrix, folder)
            #expect(try bytes(found) == bytes(estimate(DiagonalOperator(storedValues, target))))
            #expect(matrix.count == 60 - end + 2)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 5)
        }
    }
}
