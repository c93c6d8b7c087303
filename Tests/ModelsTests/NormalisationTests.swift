import Graph
import Models
import TestSupport
import Testing

/// Batch and layer normalisation against PyTorch 2.13.
@Suite struct NormalisationTests {
    private let tensors: [String: [Double]] = [
        "weight": [1.5, -0.5], "bias": [0.25, 2], "running_mean": [0.1, -0.2], "running_var": [0.5, 2],
    ]

    /// The layer in training mode: values, running mean, running variance.
    private func trained(
        _ network: Network, _ x: [Double], weights: [Double], _ tensors: [String: [Double]]
    ) -> [[Double]] {
        let program = Program.trace { t in
            network.declareTensors(in: t)
            let batch = t.input("x", Shape([weights.count] + network.input.dims))
            let (y, updates) = network.apply(batch, .training(weights: t.input("weights", [weights.count])))
            return [("y", y)] + updates
        }
        var inputs = Dictionary(uniqueKeysWithValues: tensors.map { ("0.\($0)", $1) })
        inputs["x"] = x
        inputs["weights"] = weights
        #expect(program.outputs.dropFirst().map(\.name) == ["0.running_mean", "0.running_var"])
        return Interpreter.run(program, inputs)
    }

    @Test func batchNormInEvaluation() throws {
        let y = try value(of: "batch-norm", input: "[2, 2, 1]", ramp(8), tensors)
        let expected = [
            -1.32870833297, 1.235645674887, 1.594722730553, 1.949927823393, -2.035763701878, -0.947690112367,
            1.671560667205, 1.627143912468,
        ]
        #expect(mismatch(y, expected, tolerance: 1e-11) == nil)
    }

    private static let trainedValues = [
        -0.256614043359, 3.171627609173, 1.549660008903, 2.589613360924, -1.20186444908, 0.252762793942,
        1.774622633016, 1.64458127408, 0.799647757044, -1.26555966772, 2.801664582168, 1.639858140908,
    ]

    @Test func batchNormInTraining() throws {
        let third = 1.0 / 3
        let found = trained(
            try single("batch-norm", input: "[2, 2, 1]"), ramp(12), weights: [third, third, third], tensors)
        #expect(mismatch(found[0], Self.trainedValues, tolerance: 1e-11) == nil)
        #expect(mismatch(found[1], [0.043442360935, -0.128876268067], tolerance: 1e-11) == nil)
        #expect(mismatch(found[2], [0.483570477309, 1.827997899436], tolerance: 1e-11) == nil)
    }

    /// Two more samples fill the batch up; they count for nothing.
    @Test func raggedBatch() throws {
        let third = 1.0 / 3
        let found = trained(
            try single("batch-norm", input: "[2, 2, 1]"), ramp(12) + [9, 9, 9, 9, -7, -7, -7, 7],
            weights: [third, third, third, 0, 0], tensors)
        #expect(mismatch(Array(found[0].prefix(12)), Self.trainedValues, tolerance: 1e-11) == nil)
        #expect(mismatch(found[1], [0.043442360935, -0.128876268067], tolerance: 1e-11) == nil)
        #expect(mismatch(found[2], [0.483570477309, 1.827997899436], tolerance: 1e-11) == nil)
    }

    @Test func batchNormOfVectors() throws {
        let start: [String: [Double]] = [
            "weight": [1, 1, 1], "bias": [0, 0, 0], "running_mean": [0, 0, 0], "running_var": [1, 1, 1],
        ]
        let network = try single("batch-norm", input: "[3]")
        let found = trained(network, ramp(12), weights: [0.25, 0.25, 0.25, 0.25], start)
        let expected = [
            -0.612508979594, 0.723564593228, 1.061220400659, 0.282754257535, -1.422229593802, -1.143820029203,
            1.485941379229, 1.127012842577, -0.842435992304, -1.15618665717, -0.428347842003, 0.925035620848,
        ]
        #expect(mismatch(found[0], expected, tolerance: 1e-11) == nil)
        #expect(
            mismatch(found[1], [-0.024340324927, 0.004461986811, 0.026727477418], tolerance: 1e-11) == nil)
        #expect(mismatch(found[2], [0.957093989227, 0.968868426429, 0.95458695612], tolerance: 1e-11) == nil)
    }

    /// A last batch of one vector has no variance: finite, and the running variance only shrinks.
    @Test func oneSampleLeavesFiniteStatistics() throws {
        let start: [String: [Double]] = [
            "weight": [1], "bias": [0], "running_mean": [0], "running_var": [1],
        ]
        let network = try single("batch-norm", input: "[1]")
        let found = trained(network, [5, 5, 5], weights: [1, 0, 0], start)
        #expect(found[0][0] == 0)
        #expect(found[1] == [0.5])
        #expect(found[2] == [0.9])
    }

    @Test func layerNorm() throws {
        let y = try value(
            of: "layer-norm", input: "[2, 2, 2]", ramp(16), ["weight": ramp(8, 0.3), "bias": ramp(8, 1.1)])
        let expected = [
            0.570470714955, 1.309539277833, -0.248173345255, -0.739346747271, 1.117093992954, 0.557896889558,
            1.342992779955, -0.673939106384, 0.849706853811, -0.595130554775, -0.56026615197, -2.366974725873,
            -0.973710718674, 0.74458346375, -0.695150127944, -0.694805360853,
        ]
        #expect(mismatch(y, expected, tolerance: 1e-11) == nil)
    }
}
