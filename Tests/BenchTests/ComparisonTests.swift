import Backend
import Foundation
import Planner
import Testing

@testable import Bench

/// Verdicts on pairs of runs, and the file that holds a run.
@Suite struct ComparisonTests {
    /// Twenty timings around a median, a few per cent apart.
    private func samples(_ median: Double, spread: Double = 0.01) -> [Double] {
        (0..<21).map { median * (1 + spread * Double($0 * 8 % 21 - 10) / 10) }
    }

    private func file(_ samples: [String: [[Double]]], foreignLoad: Double? = nil) -> BenchFile {
        BenchFile(
            machine: .current(), options: BenchOptions(), devices: [],
            results: samples.sorted { $0.key < $1.key }.map { id, samples in
                BenchResult(
                    device: "cpu", id: id, group: "gemm", precision: .float32, work: Work(flops: 8, bytes: 4),
                    itemsPerRun: nil, planBytes: 64, samples: samples,
                    summary: Summary(samples.flatMap { $0 }),
                    fractions: Fractions(compute: 0.5, memory: nil, roofline: 0.5),
                    check: Check(error: 1e-7, tolerance: 1e-5), foreignLoad: foreignLoad)
            })
    }

    private func row(_ first: [Double], _ second: [Double]) -> Comparison.Row {
        Comparison(file(["x": [first]]), file(["x": [second]])).rows[0]
    }

    @Test func verdicts() {
        func verdict(_ first: Double, _ second: Double, spread: Double = 0.01) -> Comparison.Verdict {
            row(samples(first, spread: spread), samples(second, spread: spread)).verdict
        }
        #expect(verdict(1, 0.8) == .faster && verdict(1, 1.25) == .slower)
        #expect(verdict(1, 1.01) == .same && verdict(1, 1) == .same)
        // The same difference of a fifth drowns in timings that vary by half.
        #expect(verdict(1, 0.85, spread: 0.8) == .same && verdict(1, 1.15, spread: 0.8) == .same)
    }

    @Test func aBusyMachineExplainsASlowRun() {
        func verdict(_ first: Double, _ second: Double, _ loads: (Double?, Double?)) -> Comparison.Verdict {
            Comparison(
                file(["x": [samples(first)]], foreignLoad: loads.0),
                file(["x": [samples(second)]], foreignLoad: loads.1)
            ).rows[0].verdict
        }
        #expect(verdict(1, 2, (0, 1)) == .busy && verdict(2, 1, (1, 0)) == .busy)
        // Faster in spite of a disturbance is faster.
        #expect(verdict(2, 1, (0, 1)) == .faster && verdict(1, 2, (1, 0)) == .slower)
        #expect(verdict(1, 2, (nil, nil)) == .slower && verdict(1, 1, (1, 1)) == .same)
        let busy = Comparison(file(["x": [samples(1)]]), file(["x": [samples(2)]], foreignLoad: 1))
        #expect(busy.rows(below: 0.9).isEmpty)
    }

    @Test func theIntervalHoldsTheRatio() {
        let first = row(samples(3, spread: 0.1), samples(2, spread: 0.1))
        #expect(abs(first.ratio - 1.5) < 1e-12 && first.low < 1.5 && first.high > 1.5)
        #expect(first.low > 1.35 && first.high < 1.65)
        let again = row(samples(3, spread: 0.1), samples(2, spread: 0.1))
        #expect(again.low == first.low && again.high == first.high)
    }

    @Test func roundsWidenTheInterval() {
        func verdict(_ first: [Double], _ second: [Double]) -> Comparison.Verdict {
            Comparison(file(["x": first.map { samples($0) }]), file(["x": second.map { samples($0) }])).rows[
                0
            ]
            .verdict
        }
        #expect(verdict([1, 1, 1], [1.2, 1.2, 1.2]) == .slower)
        // A third of the first run's rounds was as slow as all of the second's.
        #expect(verdict([1, 1, 1.2], [1.2, 1.2, 1.2]) == .same)
        #expect(verdict([1, 1.1, 1], [1.2, 1.3, 1.2]) == .slower)
    }

    @Test func aRoundAddsItsSamples() {
        var result = file(["x": [[1, 2, 3]]]).results[0]
        var round = file(["x": [[4, 5]]], foreignLoad: 0.5).results[0]
        round.check = Check(error: 1e-6, tolerance: 1e-5)
        result.add(round)
        #expect(result.samples == [[1, 2, 3], [4, 5]] && result.summary.median == 3)
        #expect(result.check.error == 1e-6 && result.foreignLoad == 0.5)
    }

    @Test func pairsAreMatchedByName() {
        let first = file(["a": [samples(1)], "b": [samples(1)], "only": [samples(1)]])
        let second = file(["a": [samples(2)], "b": [samples(1)], "new": [samples(1)]])
        let comparison = Comparison(first, second)
        #expect(comparison.rows.map(\.id) == ["a", "b"])
        #expect(comparison.rows.map(\.verdict) == [.slower, .same])
        #expect(comparison.onlyFirst == ["cpu only"] && comparison.onlySecond == ["cpu new"])
        #expect(comparison.rows(below: 0.9).map(\.id) == ["a"] && comparison.rows(below: 0.4).isEmpty)
    }

    @Test func whatTheSecondLacksIsNamed() {
        var second = file(["a": [samples(1)]])
        second.failures = [BenchFailure(device: "cpu", id: "b", problem: "the result is wrong")]
        let first = file(["a": [samples(1)], "b": [samples(1)], "c": [samples(1)]])
        #expect(Comparison(first, second).missing == ["cpu b (the result is wrong)", "cpu c"])
        #expect(Comparison(second, first).missing == [])
    }

    private var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }

    /// What is read after the file was written.
    private func written(_ file: BenchFile) throws -> BenchFile {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try encoder.encode(file).write(to: URL(fileURLWithPath: path))
        return try BenchFile.read(path)
    }

    @Test(arguments: [[], [[]], [[1], []], [[1, .nan]], [[.infinity]], [[0, 1]], [[1], [-1]]])
    func samplesThatAreNoTimesAreRefused(_ rounds: [[Double]]) throws {
        var damaged = file(["good": [[1]], "x/y": [[1]]])
        damaged.results[1].samples = rounds
        let error = #expect(throws: BenchError.self) { try written(damaged) }
        #expect(error?.description.contains("cpu x/y: a ") == true, "\(error?.description ?? "")")
    }

    @Test func summariesFollowFromSamples() throws {
        var edited = file(["x": [[1, 2, 3]]])
        edited.results[0].summary = Summary([7])
        #expect(try written(edited).results[0].summary == Summary([1, 2, 3]))
    }

    @Test func aFileReadsWhatWasWritten() throws {
        let file = file(["a": [samples(1)], "b": [samples(0.3), samples(0.4)]])
        let read = try written(file)
        #expect(try encoder.encode(read) == encoder.encode(file))
        #expect(
            read.results[1].samples == [samples(0.3), samples(0.4)]
                && read.formatVersion == BenchFile.currentFormat)
    }

    @Test(arguments: [
        ("{\"formatVersion\": 99}", "format 99"), ("[1, 2]", "is not a file that"),
        ("# words", "or is truncated"),
        ("{\"formatVersion\": 1, \"results\": 3}", "damaged"),
    ])
    func otherFilesAreRefused(_ text: String, _ words: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: BenchError.self) { try BenchFile.read(path) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
