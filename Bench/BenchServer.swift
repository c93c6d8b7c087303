import Foundation
import Planner

/// Runs single measurements on request, so that another program can alternate with this one while both stay warm.
///
/// A request is a line: the name of a workload for one timed run, or `check NAME` for one checked run. The answer is
/// one line of JSON.
public final class BenchServer {
    /// What a request is answered with; what does not apply is left out.
    struct Answer: Encodable {
        var id: String
        var seconds: Double?
        var flops: Int?
        var bytes: Int?
        var planBytes: Int?
        var items: Int?
        var error: Double?
        var tolerance: Double?
        var problem: String?
    }

    private let session: BenchSession
    private let workloads: [String: Workload]
    private var ready: [String: ReadyWorkload] = [:]

    /// A server on a device.
    public init(_ selector: String, _ options: BenchOptions) throws {
        session = try BenchSession(selector, options, references: SharedReferences())
        workloads = Dictionary(
            uniqueKeysWithValues: try Catalogue.workloads(options.precision).map { ($0.id, $0) })
    }

    /// The answer to one line; the first request for a workload compiles it and makes one run more.
    public func answer(_ line: String) throws -> String {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        let checks = words.first == "check"
        let id = words.last ?? ""
        var answer = Answer(id: id)
        do {
            guard words.count == (checks ? 2 : 1) else {
                throw BenchError("expected the name of a measurement, or \"check\" and a name")
            }
            if checks {
                let (check, work, _) = try workload(id).check()
                (answer.error, answer.tolerance) = (check.error, check.tolerance)
                (answer.flops, answer.bytes) = (work.flops, work.bytes)
                if !check.passes { answer.problem = "the result is wrong" }
            } else {
                answer.seconds = try workload(id).time()
            }
            (answer.planBytes, answer.items) = (ready[id]?.planBytes, ready[id]?.itemsPerRun)
        } catch {
            answer.problem = "\(error)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(answer), as: UTF8.self)
    }

    private func workload(_ id: String) throws -> ReadyWorkload {
        if let known = ready[id] { return known }
        guard let workload = workloads[id] else {
            throw BenchError("there is no measurement \"\(id)\": `landscape bench --list` names all")
        }
        guard let made = try session.prepare(workload) else {
            throw BenchError("\(id) is not available on \(session.device.name)")
        }
        _ = try made.time()
        ready[id] = made
        return made
    }
}
