import Data
import Foundation
import Testing

/// `landscape ntk spectrum` on linear models, whose kernel is known, and with bad input.
@Suite(.serialized) struct KernelSpectrumTests {
    private let folder: Scratch
    private let base: [String]

    /// `f(x) = W·x` with two outputs; samples (1, 0), (0, 2), (0, 0): the trace kernel is diag(2, 8, 0), the full one has
    /// each of 1, 4 and 0 twice.
    init() throws {
        folder = try Scratch()
        let model = try folder.text("input: [2]\nlayers:\n  - dense: {units: 2, bias: false}\n", "m.yaml")
        let weights = try folder.weights([("0.weight", [2, 2], [1, 2, 3, 4])], "w.safetensors")
        let inputs = try folder.array([1, 0, 0, 2, 0, 0], [3, 2], "x.npy")
        base = ["ntk", "spectrum", "--model", model, "--weights", weights, "--inputs", inputs]
    }

    @Test(arguments: ["cpu", "opencl:0"])
    func knownSpectra(_ device: String) throws {
        let vectors = folder.path("v.npy")
        let flags = ["--device", device, "--precision", "float64", "--batch-size", "2"]
        let full = try Command.json(base + flags + ["--top", "4", "--bottom", "2"])
        #expect(close(numbers(full["eigenvalues"]), [4, 4, 1, 1]))
        #expect(close(numbers(full["smallest"]), [0, 0]) && full["converged"] as? Bool == true)
        #expect(close([number(full["trace"])], [10]) && full["conditionNumber"] == nil)
        #expect(full["dimension"] as? Int == 6 && full["rankBound"] as? Int == 4)
        let trace = try Command.json(
            base + flags + ["--kind", "trace", "--top", "2", "--density", "--save-vectors", vectors])
        #expect(close(numbers(trace["eigenvalues"]), [8, 2]) && close([number(trace["trace"])], [10]))
        // Both eigenvalues that are not zero are known, so chance has no part.
        #expect(close([number(trace["effectiveRank"])], [100.0 / 68]))
        let found = try Npy.read(vectors)
        #expect(found.shape == [2, 3] && close(found.doubles.map(abs), [0, 1, 0, 1, 0, 0]))
        let density = try #require(trace["density"] as? [String: Any])
        let nodes = numbers(density["nodes"])
        #expect(nodes.allSatisfy { node in [0, 2, 8].contains { abs($0 - node) < 1e-9 } })
        #expect(close([numbers(density["weights"]).reduce(0, +)], [1]))
    }

    @Test func badInput() throws {
        let cases: [([String], [String])] = [
            (["--top", "7"], ["--top 7", "6"]), (["--bottom", "9"], ["--bottom 9", "6"]),
            (["--kind", "diagonal"], ["--kind diagonal"]), (["--top=-1"], ["--top", "-1"]),
            (["--tolerance", "2"], ["--tolerance", "2"]),
            (["--lanczos-steps", "1"], ["--lanczos-steps", "1"]),
            (["--density", "--probes", "0"], ["--density", "--probes"]),
            (["--top", "0", "--save-vectors", "v.npy"], ["--save-vectors", "--top"]),
            (["--top", "1", "--memory", "1MiB"], ["--memory", "needed"]),
            (["--top", "1", "--save-vectors", folder.path("none/v.npy")], ["none"]),
            (["--top", "1", "--save-vectors", folder.path("x.npy")], ["--save-vectors", "--inputs"]),
        ]
        for (arguments, words) in cases {
            let result = try Command.run(base + ["--device", "cpu"] + arguments)
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
            for word in words { #expect(result.errors.contains(word), "\(arguments): \(result.errors)") }
        }
    }

    /// Entries that are not finite are refused and named, not written.
    @Test func whatIsTooLarge() throws {
        let output = folder.path("k.npy"), features = folder.path("g.npy"), gram = folder.path("h.npy")
        var common = Array(base.dropFirst(2))
        common[common.firstIndex(of: "--inputs")! + 1] = try folder.array(
            [1e30, 0, 0, 2, 0, 0], [3, 2], "huge.npy")
        common += ["--device", "cpu"]
        let kernel = try Command.run(["ntk"] + common + ["--no-eigenvalues", "--output", output])
        #expect(kernel.status != 0 && kernel.errors.contains("samples 0 and 0 is inf"), "\(kernel.errors)")
        let projected = try Command.run(
            ["ntk", "project"] + common + ["--output", features, "--gram", gram])
        #expect(projected.status != 0 && projected.errors.contains("too large"), "\(projected.errors)")
        #expect(!FileManager.default.fileExists(atPath: gram))
    }

    private func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-9) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
    }
}
