import Foundation
import Graph
import Models
import Testing

/// Weights of a network from files: every tensor, no other, each of its shape.
@Suite struct WeightsTests {
    private func network() throws -> Network {
        try ModelFile.parse(
            "input: [2]\nlayers:\n- dense: 3\n- batch-norm\n- residual: {body: [dense: 3]}", file: "m.yaml")
    }

    private func tensors() throws -> [NamedTensor] {
        let network = try network()
        return (network.layout.entries + network.state.entries).enumerated().map { index, entry in
            NamedTensor(
                name: entry.name, shape: entry.shape,
                values: (0..<entry.shape.count).map { Double(100 * index + $0) })
        }
    }

    /// The message for a file with changed tensors, without the path.
    private func problem(_ change: (inout [NamedTensor]) -> Void) throws -> String? {
        var list = try tensors()
        change(&list)
        let network = try network()
        var text: String?
        try withFolder { folder in
            try Safetensors.write(list, to: folder + "/w", .float64)
            text = message { _ = try Weights.read(folder + "/w", for: network) }?
                .replacingOccurrences(of: folder + "/", with: "")
        }
        return text
    }

    @Test func everyTensorInItsPlace() throws {
        let network = try network()
        try withFolder { folder in
            try Safetensors.write(try tensors().reversed(), to: folder + "/w", .float64)
            let weights = try Weights.read(folder + "/w", for: network)
            #expect(weights.parameters.count == network.layout.count)
            #expect(weights.parameters[network.layout["2.0.bias"]!.range] == [500, 501, 502])
            #expect(weights.state == [600, 601, 602, 700, 701, 702])

            try weights.write(to: folder + "/again", for: network, .float64)
            let again = try Weights.read(folder + "/again", for: network)
            #expect(again.parameters == weights.parameters)
            #expect(again.state == weights.state)
        }
    }

    @Test func mistakes() throws {
        #expect(
            try problem { $0[0] = NamedTensor(name: "0.weight", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]) }
                == "w: tensor \"0.weight\" has shape [2×3], the model needs [3×2]")
        #expect(
            try problem { $0[1].values[2] = .nan } == "w: tensor \"0.bias\" holds nan at element 2")
        #expect(
            try problem { $0.append(NamedTensor(name: "9.weight", shape: [1], values: [0])) }
                == "w: the model has no tensor \"9.weight\"")
        #expect(try problem { $0[7].name = "running" }?.contains("\"1.running_var\" [3] is missing") == true)
        #expect(try problem { $0.removeLast() } == "w: tensor \"1.running_var\" [3] is missing")
        #expect(
            try problem { $0 = $0.suffix(1) }?.contains(
                "w: tensor \"0.weight\" [3×2] is missing; the file has") == true)
    }

    @Test func whatPyTorchAddsIsTaken() throws {
        #expect(
            try problem {
                $0.append(NamedTensor(name: "1.num_batches_tracked", shape: [], values: [7]))
                // A block that keeps its layers in an attribute `body`.
                $0[4].name = "2.body.0.weight"
                $0[5].name = "2.body.0.bias"
            } == nil)
    }

    @Test func noFile() throws {
        let network = try network()
        #expect(
            message { _ = try Weights.read("/nowhere/w", for: network) }
                == "/nowhere/w: no such weight file, or it cannot be read")
    }
}
