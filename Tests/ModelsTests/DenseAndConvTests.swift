import Foundation
import Graph
import Models
import TestSupport
import Testing

/// Layers with weights against numbers by hand and by PyTorch 2.13.
@Suite struct DenseAndConvTests {
    private let weight: [Double] = [1, -2, 3, 1, -1, 1]

    @Test func dense() throws {
        let y = try value(
            of: "dense: 3", input: "[2]", [1, 1, 2, -1], ["weight": weight, "bias": [0, 1, -1]])
        #expect(y == [-1, 5, -1, 4, 6, -4])
        let plain = try value(of: "dense: {units: 3, bias: false}", input: "[2]", [1, 1], ["weight": weight])
        #expect(plain == [-1, 4, 0])
    }

    @Test func denseInNTKParametrisation() throws {
        let y = try value(
            of: "dense: {units: 3, parametrization: ntk, weight-std: 1.5, bias-std: 0.1}", input: "[2]",
            [1, 1],
            ["weight": weight, "bias": [0, 1, -1]])
        let scale = 1.5 / 2.0.squareRoot()
        #expect(mismatch(y, [-scale, 4 * scale + 0.1, -0.1], tolerance: 1e-15) == nil)
    }

    @Test func startsOfWeights() throws {
        func starts(_ layer: String, _ input: String) throws -> [Initializer] {
            try single(layer, input: input).initializers
        }
        #expect(try starts("dense: 5", "[16]") == [.uniform(bound: 0.25), .uniform(bound: 0.25)])
        #expect(
            try starts("dense: {units: 5, weight-std: 2, bias-std: 0}", "[16]")
                == [.normal(std: 0.5), .constant(0)])
        #expect(
            try starts("dense: {units: 5, parametrization: ntk, weight-std: 2}", "[16]")
                == [.normal(std: 1), .normal(std: 1)])
        #expect(
            try starts("conv: {filters: 5, kernel: [2, 3], weight-std: 6, bias: false}", "[6, 4, 4]")
                == [.normal(std: 1)])
        #expect(try starts("batch-norm", "[3, 2, 2]") == [.constant(1), .constant(0)])
        #expect(try single("batch-norm", input: "[3]").stateInitializers == [.constant(0), .constant(1)])
    }

    @Test func convWithStrideAndPadding() throws {
        let y = try value(
            of: "conv: {filters: 3, kernel: [3, 2], stride: [2, 1], padding: [1, 0]}", input: "[2, 5, 4]",
            ramp(80), ["weight": ramp(36, 0.2), "bias": ramp(3, 0.5)])
        let expected = [
            -0.518842071828, 0.555285709759, 1.518278162882, -0.650853083681, 0.690998978361, 1.722895455495,
            -0.786266027953, -0.023595961225, 1.476001781207, 1.878238193701, 0.806749324578, -0.019940134346,
            2.071074063265, 0.60473350275, -0.320853995315, 2.22093343568, 1.391887366527, -0.049587894714,
            -0.758401451107, 0.297971285937, 0.978731158889, -1.009816652959, 0.563937237326, 1.372437521642,
            -1.172377378645, -0.286609340978, 1.079957820554, 0.993239112814, 1.510007404404, 0.5169708482,
            1.189876437906, 1.660231304385, 0.400702957662, 0.517333850972, 1.719628796699, 1.10502306383,
            0.40762583026, 0.029270959402, 1.034723125164, 0.116524525656, -0.19058784085, 1.208200486707,
            0.857051676433, -0.256729946195, 0.432287464525, 0.653617178354, 0.889152780739, -0.117006755845,
            1.035792660661, 1.176086280578, -0.345673487951, 0.235904199308, 1.248202790698, 0.492797137365,
        ]
        #expect(mismatch(y, expected, tolerance: 1e-11) == nil)
    }
}
