import Foundation
import Testing

/// `--threads`, `--profile` and `LANDSCAPE_TRACE`.
@Suite(.serialized) struct ProfileTests {
    private static let spectrum = [
        "spectrum", "--model", "cnn", "--data", "digits:train:40", "--top", "2", "--trace", "--probes", "2",
        "--batch-size", "16",
    ]

    @Test func threadsDoNotChangeAResult() throws {
        let results = try ["1", "2", "5"].map { count in
            try Command.run(Self.spectrum + ["--device", "cpu", "--json", "--threads", count])
        }
        #expect(results[0].status == 0, "\(results[0].errors)")
        #expect(results[0].output.contains("eigenvalues"))
        #expect(results.allSatisfy { $0.output == results[0].output })
        let none = try Command.run(Self.spectrum + ["--device", "cpu", "--threads", "0"])
        #expect(none.status != 0 && none.errors.contains("--threads is between 1 and 256"), "\(none.errors)")
    }

    @Test(arguments: ["cpu", "opencl"])
    func theProfileNamesSteps(_ device: String) throws {
        let folder = try Scratch()
        let trace = folder.path("trace.json")
        let result = try Command.run(
            Self.spectrum + ["--device", device, "--json", "--profile"],
            environment: ["LANDSCAPE_TRACE": trace])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("conv") && result.errors.contains("GFLOP/s"), "\(result.errors)")
        // stdout stays the result alone.
        #expect(try result.json()["eigenvalues"] != nil)
        let text = try Foundation.Data(contentsOf: URL(fileURLWithPath: trace))
        let object = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let events = try #require(object["traceEvents"] as? [[String: Any]])
        let steps = events.filter { $0["ph"] as? String == "X" }
        #expect(steps.count > 100)
        #expect(steps.allSatisfy { number($0["dur"]) >= 0 && number($0["ts"]) >= 0 })
        #expect(steps.contains { ($0["name"] as? String ?? "").hasPrefix("wgrad") })
    }

    @Test func aTraceThatCannotBeWritten() throws {
        let result = try Command.run(
            Self.spectrum + ["--device", "cpu"], environment: ["LANDSCAPE_TRACE": "/no/such/folder/t.json"])
        #expect(result.status != 0)
        #expect(result.errors.contains("/no/such/folder/t.json cannot be written"), "\(result.errors)")
    }
}
