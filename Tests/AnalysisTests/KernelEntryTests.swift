import Analysis
import Graph
import Planner
import TestSupport
import Testing

extension OnDevices {
    /// Parameters that enter a model in ways that networks from files do not.
    @Suite struct KernelEntryTests {
        typealias Model = @Sendable (Trace, _ x: Tensor) -> Tensor

        /// Kernel of a model on a device, and by pull-backs of single samples on the interpreter.
        private func check(
            _ target: Target, _ parameters: [(String, Shape)], count: Int = 5, width: Int = 4,
            _ algorithms: [String: KernelAlgorithm], wanted: KernelAlgorithm? = nil, _ model: @escaping Model
        ) throws {
            let forward: @Sendable (Int) -> Program = { batch in
                .trace { t in
                    for (name, shape) in parameters { _ = t.input(name, shape) }
                    return [("logits", model(t, t.input("x", [batch, width])))]
                }
            }
            let layout = ParameterLayout(parameters.map { (name: $0.0, shape: $0.1) })
            var random = TestRandom(seed: 7)
            let weights = random.values(layout.count), x = random.values(count * width)
            let outputs = forward(1).outputs[0].shape[1]

            let single = forward(1).vjp(to: layout.entries.map(\.name))
            var inputs = Dictionary(
                uniqueKeysWithValues: layout.entries.map { ($0.name, Array(weights[$0.range])) })
            let rows = (0..<count * outputs).map { index -> [Double] in
                let (n, o) = (index / outputs, index % outputs)
                inputs["x"] = Array(x[n * width..<(n + 1) * width])
                inputs["cotangent of logits"] = (0..<outputs).map { $0 == o ? 1 : 0 }
                return Array(Interpreter.run(single, inputs).dropFirst().joined())
            }
            let expected = rows.flatMap { a in rows.map { dot(a, $0) } }

            for batchSize in 1...count {
                for memory in [1 << 30, 1] {
                    let backend = try target.open()
                    var options = EmpiricalNTK.Options()
                    (options.batchSize, options.memory, options.tile) = (
                        batchSize, memory, memory > 1 ? nil : 1
                    )
                    let ntk = try EmpiricalNTK(
                        forward, layout, parameters: try backend.upload(weights, target.precision),
                        fixed: [:],
                        x: (try backend.upload(x, target.precision), count), kind: .full, options, on: backend
                    )
                    let problem = mismatch(
                        try ntk.matrix().elements, expected, tolerance: target.tolerance(3e-6, 1e-13))
                    #expect(problem == nil, "batch \(batchSize), memory \(memory): \(problem ?? "")")
                    if batchSize == 3, memory > 1 {
                        for cost in ntk.costs {
                            #expect(cost.algorithm == algorithms[cost.layer], "\(cost.layer)")
                        }
                    }
                }
            }
        }

        /// One matrix used in two places, once forwards and once backwards.
        @Test(arguments: TestDevices.targets)
        func sharedWeights(_ target: Target) throws {
            try check(target, [("w", [4, 4]), ("b", [4])], ["w": .jacobianRows, "b": .jacobianRows]) {
                t, x in
                let (w, b) = (t.input("w", [4, 4]), t.input("b", [4]).reshaped([1, 4]))
                let hidden = (x.matmul(w, transposeB: true) + b.broadcast(to: x.shape)).tanh()
                return (hidden.matmul(w) + (b * 3).broadcast(to: x.shape)).sin()
            }
        }

        /// A matrix `[in, out]`, and a scale.
        @Test(arguments: TestDevices.targets)
        func otherLayouts(_ target: Target) throws {
            try check(
                target, [("w", [4, 3]), ("s", [1, 3])], ["w": .denseStructure, "s": .jacobianRows],
                wanted: .denseStructure
            ) { t, x in
                let hidden = x.matmul(t.input("w", [4, 3])).tanh()
                return hidden * t.input("s", [1, 3]).broadcast(to: hidden.shape)
            }
        }

        /// A norm of the weights, a square of them, and one that is not used at all.
        @Test(arguments: TestDevices.targets)
        func unrecognisedUses(_ target: Target) throws {
            let columns = KernelAlgorithm.explicitColumns
            try check(
                target, [("w", [3, 4]), ("v", [1, 3]), ("unused", [2])],
                ["w": columns, "v": columns, "unused": columns]
            ) { t, x in
                let w = t.input("w", [3, 4]), v = t.input("v", [1, 3])
                let norm = (w * w).sum([0, 1]).rsqrt().broadcast(to: w.shape)
                let hidden = x.matmul(w * norm, transposeB: true)
                return hidden.tanh() * (v * v).broadcast(to: hidden.shape)
            }
        }

        /// Low-rank weights `A·B`: for one batch size a product of parameters has as many rows as there are
        /// samples, which makes it no activation.
        @Test(arguments: TestDevices.targets)
        func productsOfParameters(_ target: Target) throws {
            let columns = KernelAlgorithm.explicitColumns
            try check(target, [("a", [3, 2]), ("b", [2, 4])], ["a": columns, "b": columns]) { t, x in
                let weights = t.input("a", [3, 2]).matmul(t.input("b", [2, 4]))
                return x.matmul(weights, transposeB: true).tanh()
            }
        }

        /// A row repeated to a matrix of weights with, for one batch size, as many rows as there are samples.
        @Test(arguments: TestDevices.targets)
        func repeatedRows(_ target: Target) throws {
            try check(
                target, [("r", [1, 4]), ("c", [3, 1])], ["r": .explicitColumns, "c": .explicitColumns]
            ) {
                t, x in
                let rows = t.input("r", [1, 4]).broadcast(to: [3, 4])
                let weights = rows + t.input("c", [3, 1]).broadcast(to: [3, 4])
                return x.matmul(weights, transposeB: true).tanh()
            }
        }
    }
}
