import Data
import Foundation
import Testing

/// The benchmark through the command.
@Suite(.serialized) struct BenchTests {
    private let folder: Scratch

    init() throws { folder = try Scratch() }

    private func bench(_ arguments: String...) throws -> Command.Result {
        try Command.run(["bench"] + arguments)
    }

    private func rounds(_ result: [String: Any]) -> [[Double]] {
        (result["samples"] as? [Any] ?? []).map { numbers($0) }
    }

    /// A run of launches on the processor, and where its results are.
    private func launches(_ name: String) throws -> String {
        let output = folder.path(name)
        let result = try bench(
            "--device", "cpu", "--only", "launch", "--budget", "0.02", "--output", output)
        #expect(result.status == 0 && result.output.contains("back-to-back"), "\(result.errors)")
        return output + "/bench.json"
    }

    @Test func aRunOfLaunches() throws {
        let json = try Command.json([
            "bench", "--device", "cpu", "--only", "launch", "--budget", "0.02", "--threads", "1",
        ])
        #expect(number((json["options"] as? [String: Any])?["threads"]) == 1)
        #expect(number(json["formatVersion"]) == 1)
        let results = json["results"] as? [[String: Any]] ?? []
        #expect(results.compactMap { $0["id"] as? String } == ["launch/back-to-back", "launch/single"])
        for result in results {
            let samples = rounds(result).flatMap { $0 }.sorted()
            #expect(rounds(result).count == 3)
            let summary = result["summary"] as? [String: Any] ?? [:]
            #expect(samples.first == number(summary["minimum"]) && samples.allSatisfy { $0 > 0 })
            #expect(number((result["check"] as? [String: Any])?["error"]) == 0)
        }
    }

    @Test func filesOfARun() throws {
        let output = folder.path("out")
        let result = try bench(
            "--device", "cpu", "--quick", "--only", "gemm/float32/256", "--budget", "0.05", "--output", output
        )
        #expect(result.status == 0, "\(result.errors)")
        let names = try Set(FileManager.default.contentsOfDirectory(atPath: output))
        #expect(
            names.isSuperset(of: ["bench.json", "report.html", "roofline.dat", "roofline.gp"]), "\(names)")
        #expect(!names.contains { $0.hasSuffix(".tmp") })
        // The share of a ceiling is the rate over the fastest product, which is at least as fast as this one.
        let data = try Foundation.Data(contentsOf: URL(fileURLWithPath: output + "/bench.json"))
        let json = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        let first = (json["results"] as? [[String: Any]] ?? []).first ?? [:]
        let share = number((first["fractions"] as? [String: Any])?["compute"])
        #expect(share > 0 && share <= 1)
        // Launches have no roofline: the figure of the earlier run goes.
        let second = try bench("--device", "cpu", "--only", "launch", "--budget", "0.02", "--output", output)
        let left = try Set(FileManager.default.contentsOfDirectory(atPath: output))
        #expect(second.status == 0 && left == ["bench.json", "report.html"], "\(left)")
    }

    @Test func withoutGnuplotAFigureIsNoted() throws {
        let output = folder.path("out")
        let result = try Command.run(
            [
                "bench", "--device", "cpu", "--quick", "--only", "gemm/float32/256", "--budget", "0.05",
                "--output", output,
            ], environment: ["PATH": folder.path("nothing")])
        #expect(result.status == 0 && result.errors.contains("gnuplot was not found"), "\(result.errors)")
    }

    @Test func lists() throws {
        let all = try bench("--list"), quick = try bench("--list", "--quick"),
            one = try bench("--list", "--only", "launch")
        #expect(one.output == "launch/back-to-back\nlaunch/single\n" && one.status == 0)
        #expect(all.output.contains("work/resnet20/hessian-vector\n"))
        #expect(quick.output.split(separator: "\n").count * 2 < all.output.split(separator: "\n").count)
    }

    @Test func comparisons() throws {
        let path = try launches("a")
        let same = try bench("--compare", path, path, "--fail-below", "0.9")
        #expect(same.status == 0 && same.output.contains("2 within noise"), "\(same.errors)")
        // The same run with every time tripled, on a quiet machine.
        var json =
            try JSONSerialization.jsonObject(with: Foundation.Data(contentsOf: URL(fileURLWithPath: path)))
            as? [String: Any] ?? [:]
        json["results"] = (json["results"] as? [[String: Any]] ?? []).map { result in
            var result = result
            result["samples"] = rounds(result).map { $0.map { 3 * $0 } }
            result["summary"] = (result["summary"] as? [String: Any])?.mapValues { 3 * number($0) }
            result["foreignLoad"] = 0
            return result
        }
        let slow = folder.path("slow.json")
        try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: slow))
        let worse = try bench("--compare", path, slow, "--fail-below", "0.9")
        #expect(worse.status != 0 && worse.output.contains("2 slower"), "\(worse.output)")
        #expect(worse.errors.contains("2 of 2 measurements fell below 0.9"), "\(worse.errors)")
        #expect(try bench("--compare", path, slow).status == 0)
        #expect(try bench("--compare", slow, path, "--fail-below", "0.9").output.contains("2 faster"))
        let tripled = json["results"] as? [[String: Any]] ?? []
        // A measurement that is gone does not pass.
        json["results"] = Array(tripled.prefix(1))
        let fewer = folder.path("fewer.json")
        try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: fewer))
        let gone = try bench("--compare", path, fewer, "--fail-below", "0.1")
        #expect(gone.status != 0 && gone.errors.contains("lacks cpu launch/single"), "\(gone.errors)")
        #expect(try bench("--compare", path, fewer).status == 0)
        json["results"] = tripled.map { $0.merging(["foreignLoad": 1]) { $1 } }
        try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: slow))
        let busy = try bench("--compare", path, slow, "--fail-below", "0.9")
        #expect(busy.status == 0 && busy.output.contains("2 machine busy"), "\(busy.output)")
    }

    @Test func badInput() throws {
        let path = try launches("a")
        let other = try folder.text("{\"formatVersion\": 7}", "other.json")
        let file = try folder.text("", "file")
        let cases: [([String], String)] = [
            (["--device", "opencl:99", "--only", "launch"], "opencl:99"),
            (["--device", "gpu", "--only", "launch"], "device \"gpu\" is unknown"),
            (["--only", "nothing"], "no group or measurement \"nothing\""),
            (["--compare", path, folder.path("missing.json")], "missing.json': No such file"),
            (["--compare", file, path], "or is truncated"),
            (["--compare", path, other], "format 7"),
            (["--compare", path], "two files"),
            (["--fail-below", "0.9"], "--fail-below needs --compare"),
            (["--compare", path, path, "--fail-below", "0"], "positive"),
            (["--device", "cpu", "--only", "launch", "--output", file], "file"),
            (["--device", "cpu", "--only", "launch", "--output", "/proc/landscape"], "cannot be made"),
            (["--budget", "0"], "--budget"),
            (
                ["--device", "cpu", "--only", "gemm/float32/128/CLBlast"],
                "nothing that was chosen is available"
            ),
        ]
        for (arguments, words) in cases {
            let result = try Command.run(["bench"] + arguments)
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments): \(result.output)")
            #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
            let lines = result.errors.split(separator: "\n").filter {
                !$0.hasPrefix("Usage") && !$0.hasPrefix("  See") && !$0.hasPrefix("measuring")
            }
            #expect(lines.count == 1, "\(result.errors)")
        }
    }
}
