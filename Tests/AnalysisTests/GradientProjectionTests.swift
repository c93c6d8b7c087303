import Analysis
import Backend
import Graph
import Planner
import TestSupport
import Testing

/// A model, its weights and samples, whose gradients are projected.
struct ProjectionCase: Sendable {
    var forward: @Sendable (Int) -> Program
    var layout: ParameterLayout
    var weights: [Double], inputs: [Double]
    var count: Int

    init(_ problem: Problem) {
        let network = problem.network
        precondition(network.state.entries.isEmpty, "models with a state are not for these tests")
        forward = { network.forward(batchSize: $0) }
        (layout, weights, inputs, count) = (
            network.layout, problem.weights.parameters, problem.inputs, problem.count
        )
    }

    /// A matrix that is used twice, once forwards and once backwards, and a norm, which has no known structure.
    static func shared() throws -> ProjectionCase {
        var model = try ProjectionCase(Problem("[6]", ["dense: 6"], count: 11, seed: 8, .mse))
        model.layout = ParameterLayout([("w", [6, 6]), ("b", [6]), ("v", [6])])
        var random = TestRandom(seed: 12)
        model.weights = random.values(48)
        model.forward = { batch in
            .trace { t in
                let x = t.input("x", [batch, 6]), w = t.input("w", [6, 6])
                let b = t.input("b", [6]).reshaped([1, 6]), v = t.input("v", [6])
                let hidden = (x.matmul(w, transposeB: true) + b.broadcast(to: x.shape)).tanh()
                let norm = (v * v).sum([0]).reshaped([1, 1]).broadcast(to: x.shape)
                let y = (hidden.matmul(w) + (b * 3).broadcast(to: x.shape)).sin() * norm
                return [("logits", y.sliced(starts: [0, 1], shape: [batch, 3]))]
            }
        }
        return model
    }

    /// Two convolutions; a dense net with a weight of more than one chunk of parameters; shared weights.
    static func all() throws -> [ProjectionCase] {
        try [
            ProjectionCase(
                try Problem(
                    "[2, 6, 6]",
                    [
                        "conv: {filters: 3, kernel: 3, padding: 1}", "relu",
                        "conv: {filters: 4, kernel: 2, stride: 2}", "tanh", "flatten", "dense: 3",
                    ], count: 11, seed: 3, .mse)),
            ProjectionCase(
                try Problem("[40]", ["dense: 110", "relu", "dense: 2"], count: 11, seed: 4, .mse)),
            shared(),
        ]
    }

    func projected(
        _ target: Target, on backend: any Backend, _ projection: RandomProjection, sums: Bool = false,
        batchSize: Int = 4, memory: Int = 1 << 30, holds: Bool? = nil
    ) throws -> GradientProjection {
        var options = GradientProjection.Options()
        (options.batchSize, options.memory, options.holdsMatrix) = (batchSize, memory, holds)
        return try GradientProjection(
            forward, layout, parameters: try backend.upload(weights, target.precision), fixed: [:],
            x: (try backend.upload(inputs, target.precision), count), sumsOutputs: sums,
            projection: projection, options, on: backend)
    }

    /// Features on a device, `[N, o, k]`.
    func features(
        _ target: Target, _ projection: RandomProjection, sums: Bool = false, batchSize: Int = 4,
        memory: Int = 1 << 30, holds: Bool? = nil
    ) throws -> [Double] {
        let backend = try target.open()
        let projected = try projected(
            target, on: backend, projection, sums: sums, batchSize: batchSize, memory: memory, holds: holds)
        var all: [Double] = []
        for panel in projected.panels { all += try projected.features(panel) }
        return all
    }

    /// Gradients `[N·O, P]` by pull-backs of single samples on the interpreter.
    func gradients() -> [Double] {
        let program = forward(1).vjp(to: layout.entries.map(\.name))
        let outputs = forward(1).outputs[0].shape[1], width = inputs.count / count
        var tensors = Dictionary(
            uniqueKeysWithValues: layout.entries.map { ($0.name, Array(weights[$0.range])) })
        return (0..<count * outputs).flatMap { row -> [Double] in
            tensors["x"] = Array(inputs[row / outputs * width..<(row / outputs + 1) * width])
            tensors["cotangent of logits"] = (0..<outputs).map { $0 == row % outputs ? 1 : 0 }
            return Array(Interpreter.run(program, tensors).dropFirst().joined())
        }
    }

    /// Gradients `[N, P]` of the sums of outputs.
    func sums(_ gradients: [Double], _ outputs: Int) -> [Double] {
        let length = layout.count
        var result = [Double](repeating: 0, count: count * length)
        for n in 0..<count {
            for output in 0..<outputs {
                let first = (n * outputs + output) * length
                for p in 0..<length { result[n * length + p] += gradients[first + p] }
            }
        }
        return result
    }

    /// The exact kernel.
    func kernel(_ target: Target, _ kind: KernelKind) throws -> [Double] {
        let backend = try target.open()
        return try EmpiricalNTK(
            forward, layout, parameters: try backend.upload(weights, target.precision), fixed: [:],
            x: (try backend.upload(inputs, target.precision), count), kind: kind, on: backend
        ).matrix().elements
    }
}

/// Projections of every kind.
let projections = [
    RandomProjection(.rademacher, dimensions: 48, seed: 7),
    RandomProjection(.gaussian, dimensions: 48, seed: 7),
    RandomProjection(.sparse, dimensions: 48, blocks: 6, seed: 7),
]

extension OnDevices {
    /// Features of gradients on devices.
    @Suite struct GradientProjectionTests {
        /// A linear model's gradients are its inputs.
        @Test(arguments: TestDevices.targets)
        func linearModel(_ target: Target) throws {
            let model = ProjectionCase(
                try Problem(
                    "[4]", ["dense: {units: 1, bias: false}"], weights: [1, 1, 1, 1],
                    inputs: [1, 2, 3, 4, 2, 0, -1, 1], targets: [], .mse))
            for projection in projections {
                let expected = projection.features(of: model.inputs, count: 2)
                let found = mismatch(
                    try model.features(target, projection), expected,
                    tolerance: target.tolerance(1e-6, 1e-14))
                #expect(found == nil, "\(projection.distribution): \(found ?? "")")
            }
        }

        /// The features of explicit gradients and a dense matrix in float64 on the host: so CPU and OpenCL agree, too.
        @Test(arguments: TestDevices.targets)
        func againstExplicitProducts(_ target: Target) throws {
            for (index, model) in try ProjectionCase.all().enumerated() {
                let gradients = model.gradients(),
                    outputs = gradients.count / model.layout.count / model.count
                let sums = model.sums(gradients, outputs)
                for projection in projections {
                    let label = "model \(index), \(projection.distribution)"
                    let full = mismatch(
                        try model.features(target, projection),
                        projection.features(of: gradients, count: model.count * outputs),
                        tolerance: target.tolerance(1e-5, 1e-13))
                    #expect(full == nil, "\(label): \(full ?? "")")
                    let pseudo = mismatch(
                        try model.features(target, projection, sums: true),
                        projection.features(of: sums, count: model.count),
                        tolerance: target.tolerance(1e-5, 1e-13))
                    #expect(pseudo == nil, "\(label), sum of outputs: \(pseudo ?? "")")
                }
            }
        }

        /// Batches, and whether the matrix is held, change no bit.
        @Test(arguments: TestDevices.targets)
        func batchesAndMemoryChangeNothing(_ target: Target) throws {
            for (index, model) in try ProjectionCase.all().enumerated() {
                for projection in projections {
                    // One gradient for each sample makes products of few rows.
                    for sums in index == 1 ? [false, true] : [false] {
                        let whole = try model.features(target, projection, sums: sums, batchSize: 100)
                        for (batchSize, memory) in [(1, 1 << 30), (4, 1), (3, 1 << 20)] {
                            let other = try model.features(
                                target, projection, sums: sums, batchSize: batchSize, memory: memory,
                                holds: batchSize == 3 ? true : nil)
                            #expect(
                                other == whole,
                                "model \(index), \(projection.distribution), batch \(batchSize), memory \(memory)"
                            )
                        }
                    }
                }
            }
        }

        @Test func memoryDecidesWhatIsHeld() throws {
            let target = Target("cpu", .float32), model = try ProjectionCase.all()[1]
            let backend = try target.open()
            let small = RandomProjection(.rademacher, dimensions: 8, seed: 7)
            func plan(_ projection: RandomProjection, _ memory: Int) throws -> GradientProjection {
                let plan = try model.projected(target, on: backend, projection, memory: memory)
                #expect(plan.plannedBytes <= memory || memory == 1)
                #expect(plan.panels.first?.lowerBound == 0 && plan.panels.last?.upperBound == 11)
                return plan
            }
            // All samples at once: the matrix is made once and need not be held.
            let roomy = try plan(small, 1 << 30)
            #expect(!roomy.holdsMatrix && roomy.panels == [0..<11])
            // 4732 parameters: a matrix of 148 KiB, gradients of 37 KiB for each sample.
            let held = try plan(small, roomy.plannedBytes - 1)
            #expect(held.holdsMatrix && held.panels.count > 1)
            // A matrix of 887 KiB takes more than all gradients.
            let remade = try plan(projections[0], plan(projections[0], 1 << 30).plannedBytes - 1)
            #expect(!remade.holdsMatrix && remade.panels.count > 1)
            let none = try plan(projections[0], 1)
            #expect(!none.holdsMatrix && none.panels.count == 6 && none.plannedBytes > 1)
            #expect((none.parameters, none.outputs, none.rowsPerSample) == (4732, 2, 2))
        }

        @Test(arguments: TestDevices.targets)
        func gradientsThatAreNotFinite(_ target: Target) throws {
            var model = try ProjectionCase.all()[0]
            model.inputs[5 * 72 + 3] = .nan
            let error = #expect(throws: BackendError.self) {
                try model.features(target, projections[0])
            }
            #expect(error?.description.contains("at sample 5 is not finite") == true, "\(error!)")
        }
    }
}
