import Foundation
import Graph
import Models
import Testing

/// Model files: what is read is what is written, and every mistake has its message.
@Suite struct ModelFileTests {
    /// Every layer with every argument; each line is also what `text` writes.
    private static let everything = """
        input: [3, 16, 16]
        layers:
          - normalize: {mean: [0.5, 0.25, 0.125], std: [1.0, 2.0, 3.0]}
          - conv: {filters: 8, kernel: 3}
          - conv: {filters: 8, kernel: [3, 1], stride: 2, padding: [1, 0], bias: false, weight-std: 1.5}
          - batch-norm
          - batch-norm: {epsilon: 0.001, momentum: 0.2}
          - relu
          - max-pool: {kernel: 2, stride: 1}
          - average-pool: {kernel: [2, 1], stride: 1, padding: [1, 0]}
          - residual:
              body:
                - gelu
                - residual:
                    body:
                      - tanh
              shortcut:
                - subsample: {stride: 1, channels: 8}
          - layer-norm
          - layer-norm: {epsilon: 0.01}
          - sigmoid
          - erf
          - softplus
          - flatten
          - dense: {units: 12}
          - dense: {units: 9, bias: false, parametrization: ntk, weight-std: 1.5, bias-std: 0.1}

        """

    @Test func roundTripOfEveryLayer() throws {
        let network = try ModelFile.parse(Self.everything, file: "m.yaml")
        let text = ModelFile.text(network)
        #expect(text + "" == Self.everything)
        let again = try ModelFile.parse(text, file: "again.yaml")
        #expect(again.layout == network.layout)
        #expect(again.state == network.state)
        #expect(again.initializers == network.initializers)
        #expect(again.forward(batchSize: 3) == network.forward(batchSize: 3))
        let global = try ModelFile.parse("input: [2, 4, 4]\nlayers: [global-average-pool]", file: "g.yaml")
        #expect(ModelFile.text(global) == "input: [2, 4, 4]\nlayers:\n  - global-average-pool\n")
    }

    @Test func shortForms() throws {
        let network = try ModelFile.parse(
            "input: [1, 8, 8]\nlayers:\n- max-pool: [2, 4]\n- average-pool: 2\n- flatten:\n- dense: 3",
            file: "m")
        #expect(network.layout.entries.map(\.shape) == [[3, 2], [3]])
    }

    /// Text of the file after `input: [2]`, unless it begins with `input`; and the whole message.
    private static let mistakes: [(String, String)] = [
        (
            "- swish",
            "m.yaml:3: unknown layer \"swish\"; there are dense, conv, relu, gelu, tanh, sigmoid, erf, softplus, "
                + "max-pool, average-pool, global-average-pool, flatten, batch-norm, layer-norm, residual, "
                + "normalize, subsample"
        ),
        ("- dense: {units: 3, colour: red}", "m.yaml:3: dense has no argument \"colour\""),
        ("- dense: {bias: false}", "m.yaml:3: dense needs the argument \"units\""),
        ("- dense", "m.yaml:3: dense needs the argument \"units\""),
        ("- dense: three", "m.yaml:3: dense: \"units\" is three, expected a whole number from 1 to 262144"),
        (
            "- dense: 9223372036854775807",
            "m.yaml:3: dense: \"units\" is 9223372036854775807, expected a whole number from 1 to 262144"
        ),
        ("- dense: 0", "m.yaml:3: dense: \"units\" is 0, expected a whole number from 1 to 262144"),
        ("- dense: 2.5", "m.yaml:3: dense: \"units\" is 2.5, expected a whole number from 1 to 262144"),
        (
            "- dense: [1, 2]",
            "m.yaml:3: dense: \"units\" is a list or mapping, expected a whole number from 1 to 262144"
        ),
        ("- dense: {units: 2, bias: 3}", "m.yaml:3: dense: \"bias\" is 3, expected true or false"),
        (
            "- dense: {units: 2, parametrization: mup}",
            "m.yaml:3: dense: \"parametrization\" is mup, expected one of standard, ntk"
        ),
        (
            "- dense: {units: 2, weight-std: big}",
            "m.yaml:3: dense: \"weight-std\" is big, expected a number"
        ),
        (
            "- conv: {filters: 2, kernel: [1, 2, 3]}",
            "m.yaml:3: conv: \"kernel\" is a list or mapping, expected a whole number from 1 to 1024, or [h, w]"
        ),
        ("- relu: 3", "m.yaml:3: relu takes no argument"),
        ("- relu: {slope: 0.1}", "m.yaml:3: relu has no argument \"slope\""),
        (
            "- max-pool: {kernel: 2, padding: 2}",
            "m.yaml:3: max-pool: the padding is at most half the kernel"
        ),
        ("- normalize: {mean: 0, std: 0}", "m.yaml:3: normalize: \"std\" is positive"),
        (
            "- normalize: {mean: [0, 1], std: 1}",
            "m.yaml:3: normalize: 2 means and 1 standard deviations"
        ),
        (
            "- normalize: {mean: .nan, std: 1}",
            "m.yaml:3: normalize: \"mean\" is .nan, expected a number or a list of numbers"
        ),
        ("- {dense: 3, relu: }", "m.yaml:3: layer 0 is one name with its arguments"),
        (
            "- residual: {body: [dense: 2, swish: 1]}",
            "m.yaml:3: unknown layer \"swish\"; there are dense, conv, relu, gelu, tanh, sigmoid, erf, softplus, "
                + "max-pool, average-pool, global-average-pool, flatten, batch-norm, layer-norm, residual, "
                + "normalize, subsample"
        ),
        ("- residual: {body: relu}", "m.yaml: layers are a list, one \"- \" each"),
        ("- residual: {shortcut: []}", "m.yaml:3: residual needs the argument \"body\""),
        (
            "- residual: {body: [dense: 3]}",
            "m.yaml: layer 0: residual: the body gives [3], the shortcut [2]; they must agree"
        ),
        ("- conv: {filters: 2, kernel: 3}", "m.yaml: layer 0: conv takes images [C, H, W], found [2]"),
        (
            "- relu\n- max-pool: 2",
            "m.yaml: layer 1: max-pool: a window 2×2 takes images at least that large, found [2]"
        ),
        (
            "- normalize: {mean: [1, 2, 3], std: [1, 1, 1]}",
            "m.yaml: layer 0: normalize with 3 means does not fit samples [2]"
        ),
        ("  []", "m.yaml: a model has at least one layer"),
        ("dense: 3", "m.yaml: layers are a list, one \"- \" each"),
        (
            "input: [2]\nmodel: x\nlayers: []",
            "m.yaml: unknown key \"model\"; expected \"input\" and \"layers\""
        ),
        ("input: [2]", "m.yaml: \"layers\" is missing"),
        ("input: [2, 3]\nlayers: [flatten]", "m.yaml: \"input\" is [d] or [C, H, W] of positive numbers"),
        ("input: [0]\nlayers: [relu]", "m.yaml: \"input\" is [d] or [C, H, W] of positive numbers"),
        ("input: 5\nlayers: [relu]", "m.yaml: \"input\" is [d] or [C, H, W] of positive numbers"),
        ("input:\nlayers: [relu]", "m.yaml: \"input\" is [d] or [C, H, W] of positive numbers"),
        (
            "input: [1, 4, 4]\nlayers: [dense: 3]",
            "m.yaml: layer 0: dense takes flat samples, found [1×4×4]: put \"- flatten\" before it"
        ),
        (
            "input: [1, 4, 4]\nlayers: [conv: {filters: 1, kernel: 5}]",
            "m.yaml: layer 0: conv: a kernel 5×5 is larger than the image [1×4×4]"
        ),
        (
            "input: [4, 4, 4]\nlayers: [subsample: {stride: 2, channels: 2}]",
            "m.yaml: layer 0: subsample takes images of at most 2 channels, found [4×4×4]"
        ),
        (
            "input: [2, 4, 4]\nlayers: [relu]",
            "m.yaml: the last layer gives [2×4×4], but a model ends with a flat output such as dense"
        ),
        ("input: just text", "m.yaml: \"input\" is [d] or [C, H, W] of positive numbers"),
        ("inputtext", "m.yaml: a model file holds \"input\" and \"layers\""),
    ]

    @Test(arguments: mistakes.indices)
    func everyMistakeHasItsMessage(_ index: Int) {
        let (text, expected) = Self.mistakes[index]
        let file = text.hasPrefix("input") ? text : "input: [2]\nlayers:\n\(text)"
        let indented = text.hasPrefix("dense") ? "input: [2]\nlayers:\n  \(text)" : file
        #expect(message { _ = try ModelFile.parse(indented, file: "m.yaml") } == expected, "\(text)")
    }

    @Test func filesThatAreNotYAML() throws {
        let found = message { _ = try ModelFile.parse("input: [2\nlayers: {", file: "m.yaml") }
        #expect(found?.hasPrefix("m.yaml: not valid YAML: ") == true, "\(found ?? "accepted")")
        #expect(
            message { _ = try ModelFile.parse("", file: "e.yaml") }?.contains("e.yaml: a model file holds")
                == true)
        #expect(
            message { _ = try ModelFile.read("/nowhere/m.yaml") }
                == "/nowhere/m.yaml: no such model file, or it cannot be read")
        try withFolder { folder in
            try Data([0xFF, 0xFE, 0x80]).write(to: URL(fileURLWithPath: folder + "/m.yaml"))
            #expect(
                message { _ = try ModelFile.read(folder + "/m.yaml") } == folder
                    + "/m.yaml: a model file is UTF-8 text")
        }
    }

    /// A path with a colon in it is still named whole.
    @Test func nestedMistakesNameTheFile() {
        let text = "input: [2]\nlayers:\n- residual:\n    body:\n    - relu\n    - dense: {unit: 2}\n"
        #expect(
            message { _ = try ModelFile.parse(text, file: "a:b/m.yaml") }
                == "a:b/m.yaml:6: dense needs the argument \"units\"")
    }
}
