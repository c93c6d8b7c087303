import Backend
import Foundation
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// Where Lanczos vectors live decides nothing.
    @Suite struct BasisTests {
        /// Rows of the panels are 32, 32 and 40, and the largest is staged where one is not on the device.
        @Test(arguments: TestDevices.targets)
        func tiersGiveTheSameBits(_ target: Target) throws {
            let matrix = try DiagonalOperator(ladder(311).map { $0 * $0 - 0.1 }, target)
            let row = 311 * target.precision.bytes, folder = try temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let all = 104 * row
            let memories = [
                BasisMemory(device: all), BasisMemory(device: 0, host: all),
                BasisMemory(device: 0, host: 0, scratch: folder),
                BasisMemory(device: (40 + 32) * row, host: 32 * row, scratch: folder),
                BasisMemory(device: (40 + 32) * row, host: 32 * row, scratch: folder),
            ]
            let found = try memories.map {
                var memory = $0
                memory.firstPanel = 0
                return try SpectralDensity.estimate(
                    matrix, steps: 100, probes: 1, seed: 3, options: DensityOptions(memory: memory))
            }
            #expect(found[0].nodes.count == 100)
            for other in found.dropFirst() { #expect(other == found[0]) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }

        /// Vectors of all tiers are orthonormal, and sums of them are what they are.
        @Test(arguments: TestDevices.targets)
        func vectorsOfAllTiers(_ target: Target) throws {
            let n = 120, row = n * target.precision.bytes
            let matrix = try DiagonalOperator(ladder(n), target)
            var memory = BasisMemory(device: (40 + 32) * row, host: 32 * row, scratch: NSTemporaryDirectory())
            memory.firstPanel = 0
            let krylov = try Krylov(matrix, start: ladder(n, 1, 2), capacity: 100, memory: memory)
            while krylov.steps < 80 { try krylov.extend() }
            let rows = try krylov.vectors()
            let vectors = (0..<80).map { Array(rows[n * $0..<n * $0 + n]) }
            var worst = 0.0
            for i in 0..<80 {
                for j in 0...i { worst = max(worst, abs(dot(vectors[i], vectors[j]) - (i == j ? 1 : 0))) }
            }
            #expect(worst < target.tolerance(3e-6, 1e-14), "\(worst)")
        }

        @Test(arguments: TestDevices.selectors)
        func budgetsThatAreTooSmallAreRefused(_ selector: String) throws {
            let matrix = try DiagonalOperator(ladder(100), on: Devices.open(selector).backend, .float32)
            let error = #expect(throws: BackendError.self) {
                try SpectralDensity.estimate(
                    matrix, steps: 90, probes: 1, seed: 3,
                    options: DensityOptions(memory: BasisMemory(device: 20000, host: 10000)))
            }
            #expect(error?.kind == .outOfMemory && error?.description.contains("take fewer steps") == true)
            #expect(matrix.count == 0)
        }

        /// Panels of the longest factorisation are allocated once and in parts: none twice.
        @Test func panelsCoverTheirRows() {
            let backend = LimitedBackend(CPUBackend())
            for (rowBytes, capacity) in [(8, 500), (1 << 20, 500), (1 << 25, 9), (1 << 30, 3), (400, 3)] {
                let panels = BasisPanels(rowBytes: rowBytes, firstBytes: 1 << 20, on: backend)
                let rooms = panels.rooms(capacity: capacity)
                #expect(rooms.reduce(0, +) >= capacity && rooms.reduce(0, +) < capacity + 8)
                #expect(rooms.allSatisfy { $0 * rowBytes <= max(rowBytes, 1 << 27) })
                // Further steps change no panel but the last.
                let more = panels.rooms(capacity: capacity + 100)
                #expect(Array(more.prefix(rooms.count - 1)) == Array(rooms.dropLast()))
            }
        }
    }
}
