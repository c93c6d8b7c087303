import Graph
import Models
import TestSupport
import Testing

/// Layers without weights: activations, flatten, normalize, subsample, residual.
@Suite struct ElementwiseLayerTests {
    /// PyTorch 2.13 at these five points.
    private static let points: [Double] = [-2, -0.5, 0, 0.3, 1.7]
    private static let activations: [(String, [Double])] = [
        ("relu", [0, 0, 0, 0.3, 1.7]),
        ("gelu", [-0.045500263896, -0.154268769363, 0, 0.185373426657, 1.62423871331]),
        ("tanh", [-0.964027580076, -0.46211715726, 0, 0.291312612452, 0.935409070603]),
        ("sigmoid", [0.119202922022, 0.377540668798, 0.5, 0.574442516812, 0.845534734916]),
        ("erf", [-0.995322265019, -0.520499877813, 0, 0.328626759459, 0.983790458591]),
        ("softplus", [0.126928011043, 0.47407698418, 0.69314718056, 0.854355244469, 1.867786029386]),
    ]

    @Test(arguments: activations.indices)
    func activation(_ index: Int) throws {
        let (name, expected) = Self.activations[index]
        let y = try value(of: name, input: "[5]", Self.points)
        #expect(mismatch(y, expected, tolerance: 1e-11) == nil, "\(name)")
    }

    @Test func normalizePerChannel() throws {
        let y = try value(
            of: "normalize: {mean: [1, 2], std: [2, 0.5]}", input: "[2, 1, 2]", [1, 5, 2, 3, 3, 1, 1, 2])
        #expect(y == [0, 2, 0, 2, 1, 0, -2, 0])
        #expect(try value(of: "normalize: {mean: 1, std: 4}", input: "[3]", [1, 5, 3]) == [0, 1, 0.5])
    }

    @Test func subsampleWithMoreChannels() throws {
        let image = (1...9).map { Double($0) }
        let y = try value(of: "subsample: {stride: 2, channels: 2}", input: "[1, 3, 3]", image)
        #expect(y == [1, 3, 7, 9, 0, 0, 0, 0])
    }

    @Test func residualWithAndWithoutShortcut() throws {
        let plain = try ModelFile.parse(
            "input: [2]\nlayers:\n  - residual:\n      body:\n        - dense: 2\n        - relu\n", file: "m"
        )
        let weights: [String: [Double]] = ["x": [1, -3], "0.0.weight": [1, 0, 0, 1], "0.0.bias": [1, 1]]
        #expect(Interpreter.run(plain.forward(batchSize: 1), weights)[0] == [1 + 2, -3 + 0])

        let projected = try ModelFile.parse(
            """
            input: [2]
            layers:
              - residual:
                  body:
                    - dense: {units: 1, bias: false}
                  shortcut:
                    - relu
                    - dense: {units: 1, bias: false}
            """, file: "m")
        #expect(projected.layout.entries.map(\.name) == ["0.0.weight", "0.shortcut.1.weight"])
        let found = Interpreter.run(
            projected.forward(batchSize: 1),
            ["x": [1, -3], "0.0.weight": [10, 1], "0.shortcut.1.weight": [100, 1000]])
        #expect(found[0] == [7 + 100])
    }
}
