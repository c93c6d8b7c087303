import Analysis
import Backend
import Graph
import Models
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Products with the tangent kernel against the kernel itself.
    @Suite(.serialized) struct TangentKernelTests {
        private static let nets: [[String]] = [
            ["dense: 5", "erf", "dense: 3"],
            ["conv: {filters: 3, kernel: 3, padding: 1}", "relu", "flatten", "dense: 7"],
        ]

        private func problem(_ net: [String], count: Int) throws -> Problem {
            let input = net[0].hasPrefix("conv") ? "[2, 4, 4]" : "[6]"
            return try Problem(input, net, count: count, seed: 3, .mse)
        }

        private func kernelOperator(
            _ problem: Problem, _ kind: KernelKind, _ backend: any Backend, _ target: Target, batchSize: Int,
            heldBytes: Int = 1 << 24
        ) throws -> TangentKernelOperator {
            let network = problem.network
            let arrays = try NetworkArrays(network, problem.weights, on: backend, target.precision)
            let x = try backend.upload(problem.inputs, target.precision)
            return try TangentKernelOperator(
                { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
                fixed: arrays.boundState, x: (x, problem.count), kind: kind, batchSize: batchSize,
                memory: heldBytes, on: backend)
        }

        /// All columns of the kernel, by products with unit vectors: one by one, or all as one block.
        private func columns(
            _ kernel: TangentKernelOperator, _ target: Target, asBlock: Bool
        ) throws -> [Double] {
            let n = kernel.dimension, backend = kernel.space.backend
            let vectors = try (0..<n).map { j in
                try backend.upload((0..<n).map { $0 == j ? 1 : 0 }, target.precision)
            }
            let results = try vectors.map { _ in try kernel.space.vector() }
            if asBlock {
                try kernel.apply(vectors.map(\.all), into: results.map(\.all))
            } else {
                for (vector, result) in zip(vectors, results) {
                    try kernel.apply(vector.all, into: result.all)
                }
            }
            return try results.flatMap { try backend.download($0.all) }
        }

        @Test(arguments: TestDevices.targets, [KernelKind.full, .trace, .mean, .pseudo])
        func productsAreThoseOfTheKernel(_ target: Target, _ kind: KernelKind) throws {
            for net in Self.nets {
                // Seven samples in batches of three: the last one is ragged.
                let problem = try problem(net, count: 7)
                let expected = try problem.ntk(target, kind).kernel.elements
                for (held, asBlock) in [(1 << 24, true), (0, false), (9000, true)] {
                    let kernel = try kernelOperator(
                        problem, kind, try target.open(), target, batchSize: 3, heldBytes: held)
                    let found = try columns(kernel, target, asBlock: asBlock)
                    let difference = mismatch(found, expected, tolerance: target.tolerance(1e-5, 1e-12))
                    #expect(difference == nil, "\(net) \(kind) \(held) \(asBlock)")
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func eigenvaluesWithoutTheKernel(_ target: Target) throws {
            let problem = try problem(Self.nets[1], count: 9)
            let kernel = try kernelOperator(problem, .full, try target.open(), target, batchSize: 4)
            let expected = try problem.ntk(target, .full).kernel.eigenvalues()
            let pairs = try Eigenpairs.largest(4, of: kernel)
            #expect(pairs.isConverged)
            let tolerance = target.tolerance(2e-6, 1e-10)
            #expect(mismatch(pairs.values, Array(expected.reversed().prefix(4)), tolerance: tolerance) == nil)
            // Known pairs count exactly; where all are known, chance has no part.
            let squares = expected.reduce(0) { $0 + $1 * $1 }
            let plain = try TraceEstimate.squared(kernel, probes: 6, seed: 1)
            let some = try TraceEstimate.squared(kernel, probes: 6, seed: 1, known: pairs)
            #expect(abs(plain.mean - squares) < 6 * plain.standardError)
            #expect(abs(some.mean - squares) < 6 * some.standardError)
            #expect(some.standardError < plain.standardError)
            let all = try Eigenpairs.largest(kernel.dimension, of: kernel)
            let exact = try TraceEstimate.squared(kernel, probes: 2, seed: 1, known: all)
            #expect(
                abs(exact.mean - squares) < tolerance * squares && exact.standardError < tolerance * squares)
        }

        @Test(arguments: TestDevices.targets)
        func noSingleMatrix(_ target: Target) throws {
            let problem = try problem(Self.nets[0], count: 3)
            let error = #expect(throws: BackendError.self) {
                try kernelOperator(problem, .diagonal, try target.open(), target, batchSize: 3)
            }
            #expect(error?.kind == .unsupported)
        }

        @Test(arguments: TestDevices.targets, KernelKind.allCases)
        func diagonals(_ target: Target, _ kind: KernelKind) throws {
            let problem = try problem(Self.nets[0], count: 7), backend = try target.open()
            let network = problem.network
            let arrays = try NetworkArrays(network, problem.weights, on: backend, target.precision)
            var options = EmpiricalNTK.Options()
            options.tile = 3
            let ntk = try EmpiricalNTK(
                { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
                fixed: arrays.boundState,
                x: (try backend.upload(problem.inputs, target.precision), problem.count), kind: kind,
                options, on: backend)
            let diagonal = KernelDiagonal(rows: ntk.rows, planes: ntk.planes, target.precision)
            try ntk.run(into: diagonal)
            let whole = try problem.ntk(target, kind, tile: 3).kernel
            let expected = (0..<ntk.planes).flatMap { plane in
                (0..<ntk.rows).map { whole.elements[(plane * ntk.rows + $0) * ntk.columns + $0] }
            }
            #expect(diagonal.elements == expected)
        }
    }

    /// What kernels take for granted is tried first.
    @Suite(.serialized) struct SampleProbeTests {
        /// A model's kernel, traced as in training or in evaluation.
        private func kernel(
            _ target: Target, isTraining: Bool, count: Int
        ) throws -> KernelMatrix {
            let problem = try Problem(
                "[3]", ["dense: 4", "batch-norm", "relu", "dense: 2"], count: count, seed: 8, .mse)
            let backend = try target.open(), network = problem.network
            let arrays = try NetworkArrays(network, problem.weights, on: backend, target.precision)
            let forward: @Sendable (Int) -> Program = { batch in
                .trace { t in
                    let x = t.input("x", Shape([batch] + network.input.dims))
                    guard isTraining else {
                        return [("logits", t.inline(network.forward(batchSize: batch), inputs: ["x": x])[0])]
                    }
                    let weights = t.constant(1 / Double(batch), [batch])
                    return [("logits", network.apply(x, .training(weights: weights)).logits)]
                }
            }
            return try EmpiricalNTK(
                forward, network.layout, parameters: arrays.parameters, fixed: arrays.boundState,
                x: (try backend.upload(problem.inputs, target.precision), count), kind: .trace, on: backend
            ).matrix()
        }

        @Test(arguments: TestDevices.targets, [1, 5])
        func batchNormalisationInTrainingIsRefused(_ target: Target, _ count: Int) throws {
            let error = #expect(throws: BackendError.self) {
                try kernel(target, isTraining: true, count: count)
            }
            #expect(error?.description.contains("samples are not independent") == true, "\(error as Any)")
            #expect(try kernel(target, isTraining: false, count: count).rows == count)
        }

        @Test(arguments: TestDevices.targets)
        func whatNothingGivesIsNamed(_ target: Target) throws {
            let backend = try target.open()
            let layout = ParameterLayout([("w", [1, 2])])
            let error = #expect(throws: BackendError.self) {
                try EmpiricalNTK(
                    { batch in
                        .trace { t in
                            let y = t.input("x", [batch, 2]).matmul(t.input("w", [1, 2]), transposeB: true)
                            return [("logits", y + t.input("noise", [batch, 1]))]
                        }
                    }, layout, parameters: try backend.upload([1, 2], target.precision), fixed: [:],
                    x: (try backend.upload([1, 2, 3, 4], target.precision), 2), kind: .trace, on: backend)
            }
            #expect(error?.description.contains("\"noise\"") == true)
        }
    }
}
