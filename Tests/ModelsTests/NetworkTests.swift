import Graph
import Models
import Testing

/// Layouts, names and shapes of whole networks.
@Suite struct NetworkTests {
    /// As `torch.nn.Sequential` of the same list names them, with nested blocks.
    @Test func namesAndOrder() throws {
        let network = try ModelFile.parse(
            """
            input: [3, 8, 8]
            layers:
              - normalize: {mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}
              - conv: {filters: 4, kernel: 3, padding: 1}
              - batch-norm
              - residual:
                  body:
                    - conv: {filters: 4, kernel: 3, padding: 1, bias: false}
                    - relu
                    - residual: {body: [batch-norm]}
              - relu
              - flatten
              - dense: 10
            """, file: "m.yaml")
        #expect(
            network.layout.entries.map { "\($0.name) \($0.shape)" } == [
                "1.weight [4×3×3×3]", "1.bias [4]", "2.weight [4]", "2.bias [4]", "3.0.weight [4×4×3×3]",
                "3.2.0.weight [4]", "3.2.0.bias [4]", "6.weight [10×256]", "6.bias [10]",
            ])
        #expect(
            network.state.entries.map(\.name) == [
                "2.running_mean", "2.running_var", "3.2.0.running_mean", "3.2.0.running_var",
            ])
        #expect(network.layout.entries.map(\.offset) == [0, 108, 112, 116, 120, 264, 268, 272, 2832])
        #expect(network.layout.count == 2842)
        #expect(network.outputs == 10)
        let inputs = network.forward(batchSize: 2).inputs.map(\.name)
        #expect(Set(inputs) == Set((network.layout.entries + network.state.entries).map(\.name) + ["x"]))
    }

    @Test func resnet20() throws {
        let network = try Builders.resnet20(input: [3, 32, 32], classes: 10)
        // 19 convolutions and a dense layer hold 0.27 million weights (He et al. 2016, table 6).
        let weights = network.layout.entries.filter { $0.shape.rank > 1 }
        #expect(weights.count == 20)
        let convolutions = weights.reduce(0) { $0 + $1.shape.count }
        let batchNorms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
        #expect(convolutions + 10 == 268_346)
        #expect(network.layout.count == 268_346 + batchNorms)
        #expect(network.state.count == batchNorms)
        #expect(network.outputs == 10)
        #expect(network.forward(batchSize: 2).outputs[0].shape == [2, 10])
    }

    @Test(arguments: Builders.names)
    func everyBuilderFitsRealImages(_ name: String) throws {
        let network = try #require(try Builders.build(name, input: [1, 28, 28], classes: 7))
        #expect(network.outputs == 7)
        try network.forward(batchSize: 2).verify()
        let again = try ModelFile.parse(ModelFile.text(network), file: "again")
        #expect(again.layout == network.layout)
        #expect(again.initializers == network.initializers)
        #expect(again.forward(batchSize: 2) == network.forward(batchSize: 2))
    }

    @Test func anUnknownBuilder() throws {
        #expect(try Builders.build("vgg", input: [1, 8, 8], classes: 2) == nil)
    }

    @Test func emptyNetworks() {
        #expect(message { _ = try Network(input: [2], layers: []) } == "a model has at least one layer")
        #expect(
            message { _ = try Network(input: [2, 3, 4], layers: [ReLU()]) }
                == "the last layer gives [2×3×4], but a model ends with a flat output such as dense")
    }
}
