import Analysis
import Backend
import Models
import Planner
import TestSupport
import Testing

extension OnDevices {
    /// The cross-checks pass where all is well, and the right one fails where something is not.
    @Suite struct SelfTestTests {
        private static let layers = ["conv: {filters: 2, kernel: 3}", "relu", "flatten", "dense: 3"]

        private func problem(_ loss: Loss, weightsSeed: UInt64 = 4) throws -> Problem {
            try Problem("[1, 4, 4]", Self.layers, count: 6, seed: weightsSeed, loss)
        }

        private func failures(
            _ target: Target, risk: CurvatureSelfTest.MakeRisk? = nil,
            squared: CurvatureSelfTest.MakeRisk? = nil
        ) throws -> [String] {
            let backend = try target.open()
            let (plain, mean) = (try problem(.crossEntropy), try problem(.mse))
            let test = try CurvatureSelfTest(
                precision: target.precision, batchSize: 4, seed: 1,
                risk: risk ?? { try plain.risk(on: backend, $0, batchSize: $1) },
                squared: squared ?? { try mean.risk(on: backend, $0, batchSize: $1) })
            return try test.run().filter { !$0.hasPassed }.map(\.name)
        }

        @Test(arguments: TestDevices.targets)
        func allIsWell(_ target: Target) throws {
            #expect(try failures(target) == [])
        }

        /// Samples that count differently in other batches.
        @Test(arguments: TestDevices.exactTargets)
        func batchesThatAreNotIndependent(_ target: Target) throws {
            let backend = try target.open(), problem = try problem(.crossEntropy)
            let found = try failures(target) { precision, batchSize in
                var changed = problem
                if batchSize != 4 { changed.targets.swapAt(0, 1) }
                return try changed.risk(on: backend, precision, batchSize: batchSize)
            }
            #expect(found == ["partition into batches"])
        }

        /// Products in float32 that are not those of float64.
        @Test func wrongProducts() throws {
            let target = TestDevices.targets.first { $0.precision == .float32 }!
            let backend = try target.open(), problem = try problem(.crossEntropy)
            let found = try failures(target) { precision, batchSize in
                var changed = problem
                if precision == .float64 { changed.inputs[0] += 0.1 }
                return try changed.risk(on: backend, precision, batchSize: batchSize)
            }
            #expect(found == ["precision of products"])
        }

        /// A Gauss-Newton matrix of another loss than the kernel's.
        @Test(arguments: TestDevices.exactTargets)
        func noDuality(_ target: Target) throws {
            let backend = try target.open(), problem = try problem(.crossEntropy)
            let found = try failures(target, squared: { try problem.risk(on: backend, $0, batchSize: $1) })
            #expect(found == ["duality of Gauss-Newton and tangent kernel"])
        }

        /// A loss without a value has no curvature to check.
        @Test(arguments: TestDevices.exactTargets)
        func valuesThatAreNotFinite(_ target: Target) throws {
            let backend = try target.open()
            var changed = try problem(.crossEntropy)
            changed.inputs[3] = .nan
            let problem = changed
            #expect(throws: BackendError.self) {
                let found = try failures(target) { try problem.risk(on: backend, $0, batchSize: $1) }
                #expect(found.contains("differences of the gradient"))
            }
        }

        /// At a minimum gradients are rounding; that is no fault.
        @Test func atAMinimum() throws {
            let target = TestDevices.targets.first { $0.precision == .float32 }!, backend = try target.open()
            // y = 2x is fitted exactly.
            let inputs = (1...20).map { Double($0) / 10 }
            let problem = try Problem(
                "[1]", ["dense: {units: 1, bias: false}"], weights: [2], inputs: inputs,
                targets: inputs.map { 2 * $0 },
                .mse)
            let test = try CurvatureSelfTest(
                precision: .float32, batchSize: 4, seed: 1,
                risk: { try problem.risk(on: backend, $0, batchSize: $1) },
                squared: { try problem.risk(on: backend, $0, batchSize: $1) })
            let failed = try test.run().filter { !$0.hasPassed }
            #expect(failed.isEmpty, "\(failed)")
        }

        /// Units exactly on a kink are told, and are no failure.
        @Test(arguments: TestDevices.exactTargets)
        func unitsOnAKink(_ target: Target) throws {
            let backend = try target.open()
            var changed = try problem(.crossEntropy)
            // Filters of zeros and biases of zero: every unit is at the kink of its ReLU.
            for index in 0..<20 { changed.weights.parameters[index] = 0 }
            let problem = changed
            let test = try CurvatureSelfTest(
                precision: target.precision, batchSize: 4, seed: 1,
                risk: { try problem.risk(on: backend, $0, batchSize: $1) },
                squared: { try problem.risk(on: backend, $0, batchSize: $1) })
            let first = try test.run()[0]
            #expect(first.hasPassed && first.note?.contains("kink") == true, "\(first)")
        }
    }
}
