import Analysis
import TestSupport
import Testing

extension OnDevices {
    /// Every kind of kernel by every algorithm, against explicit Jacobians.
    @Suite struct KernelKindTests {
        private static let models: [(input: String, layers: [String])] = [
            ("[5]", ["dense: 7", "relu", "dense: 6", "tanh", "dense: 3"]),
            (
                "[2, 5, 5]",
                [
                    "conv: {filters: 3, kernel: 3, stride: 2, padding: 1}", "relu",
                    "residual: {body: [conv: {filters: 3, kernel: 3, padding: 1, bias: false}, batch-norm]}",
                    "tanh",
                    "conv: {filters: 4, kernel: 2, parametrization: ntk, bias-std: 0.5}", "flatten",
                    "dense: 3",
                ]
            ),
        ]

        /// Of a full kernel `[n·O + o, m·O + q]`.
        private func expected(_ full: [Double], _ kind: KernelKind, n: Int, m: Int, outputs o: Int)
            -> [Double]
        {
            func entry(_ i: Int, _ a: Int, _ j: Int, _ b: Int) -> Double {
                full[(i * o + a) * m * o + j * o + b]
            }
            func samples(_ value: (Int, Int) -> Double) -> [Double] {
                (0..<n).flatMap { i in (0..<m).map { value(i, $0) } }
            }
            switch kind {
            case .full: return full
            case .trace: return samples { i, j in (0..<o).reduce(0) { $0 + entry(i, $1, j, $1) } }
            case .mean: return samples { i, j in (0..<o).reduce(0) { $0 + entry(i, $1, j, $1) } / Double(o) }
            case .diagonal: return (0..<o).flatMap { a in samples { entry($0, a, $1, a) } }
            case .pseudo:
                return samples { i, j in
                    (0..<o).reduce(0) { sum, a in (0..<o).reduce(sum) { $0 + entry(i, a, j, $1) } }
                }
            }
        }

        @Test(arguments: TestDevices.targets, [0, 1])
        func everyKindByEveryAlgorithm(_ target: Target, _ model: Int) throws {
            let (input, layers) = Self.models[model]
            let problem = try Problem(input, layers, count: 7, seed: 3, .mse)
            var random = TestRandom(seed: 9)
            let others = random.values(5 * problem.network.input.count)
            let (full, cross) = (Jacobian(problem).kernel(), Jacobian(problem).kernel(others: others))
            for kind in KernelKind.allCases {
                // Building every kernel of every algorithm takes long on OpenCL.
                let forced: [KernelAlgorithm] =
                    target.selector == "cpu" ? KernelAlgorithm.allCases : [.patchGrams]
                for algorithm in [nil] + forced.map({ $0 }) {
                    let label = "\(kind) \(algorithm?.rawValue ?? "cheapest")"
                    let found = try problem.ntk(target, kind, batchSize: 3, tile: 4, algorithm: algorithm)
                    let square = expected(full, kind, n: 7, m: 7, outputs: 3)
                    let problem1 = mismatch(
                        found.kernel.elements, square, tolerance: target.tolerance(1e-5, 1e-12))
                    #expect(problem1 == nil, "\(label): \(problem1 ?? "")")
                    let rectangle = try problem.ntk(
                        target, kind, batchSize: 3, tile: 4, algorithm: algorithm, others: others)
                    let problem2 = mismatch(
                        rectangle.kernel.elements, expected(cross, kind, n: 7, m: 5, outputs: 3),
                        tolerance: target.tolerance(1e-5, 1e-12))
                    #expect(problem2 == nil, "\(label) with others: \(problem2 ?? "")")
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func algorithmsAreTaken(_ target: Target) throws {
            let problem = try Problem(Self.models[1].input, Self.models[1].layers, count: 3, seed: 3, .mse)
            func algorithms(_ wanted: KernelAlgorithm) throws -> Set<KernelAlgorithm> {
                Set(try problem.ntk(target, .full, algorithm: wanted).costs.map(\.algorithm))
            }
            #expect(try algorithms(.patchGrams) == [.patchGrams, .jacobianRows])
            #expect(try algorithms(.denseStructure) == [.denseStructure, .jacobianRows])
            #expect(try algorithms(.jacobianRows) == [.jacobianRows])
            #expect(try algorithms(.explicitColumns) == [.explicitColumns])
        }

        /// Below the last layer one row stands for all outputs where only their sum counts; it is no other kernel.
        @Test(arguments: TestDevices.targets)
        func outputsAreMerged(_ target: Target) throws {
            for layers in [
                ["dense: 7", "relu", "dense: 4"], ["dense: 7", "tanh", "dense: {units: 4, bias: false}"],
            ] {
                let problem = try Problem("[5]", layers, count: 6, seed: 4, .mse)
                let rows = try problem.ntk(target, .full, algorithm: .jacobianRows).kernel
                var expected = [Double](repeating: 0, count: 36)
                for (n, m, output) in (0..<6).flatMap({ n in
                    (0..<6).flatMap { m in (0..<4).map { (n, m, $0) } }
                }) {
                    expected[6 * n + m] += rows.elements[(4 * n + output) * 24 + 4 * m + output]
                }
                let (found, costs) = try problem.ntk(target, .trace)
                #expect(mismatch(found.elements, expected, tolerance: target.tolerance(1e-5, 1e-12)) == nil)
                let bytes = target.precision.bytes
                #expect(costs[0].layer == "0.weight + 0.bias" && costs[0].featureBytes == (7 + 5) * bytes)
                #expect(try problem.ntk(target, .full).costs[0].featureBytes == (4 * 7 + 5) * bytes)
                let mean = try problem.ntk(target, .mean).kernel.elements
                #expect(
                    mismatch(mean, expected.map { $0 / 4 }, tolerance: target.tolerance(1e-5, 1e-12)) == nil)
            }
        }

        /// Tiles and memory change no bit.
        @Test(arguments: TestDevices.targets)
        func tilesChangeNothing(_ target: Target) throws {
            let problem = try Problem(Self.models[1].input, Self.models[1].layers, count: 41, seed: 3, .mse)
            for kind in [KernelKind.full, .trace] {
                let whole = try problem.ntk(target, kind, batchSize: 8).kernel.elements
                for (tile, memory) in [(16, 1 << 30), (20, 1), (41, 1 << 30), (17, 1)] {
                    let cut = try problem.ntk(target, kind, batchSize: 8, memory: memory, tile: tile).kernel
                    #expect(cut.elements == whole, "\(kind), tiles of \(tile)")
                    #expect(
                        (0..<cut.rows).allSatisfy { i in
                            (0..<i).allSatisfy {
                                cut.elements[i * cut.columns + $0] == cut.elements[$0 * cut.columns + i]
                            }
                        })
                }
            }
        }
    }
}
