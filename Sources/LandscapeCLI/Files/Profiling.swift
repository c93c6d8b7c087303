import Backend
import Foundation
import Report

/// `--profile` and `LANDSCAPE_TRACE`: where the time of a command went.
enum Profiling {
    nonisolated(unsafe) private static var prints = false

    /// Begins to keep times, if anyone asked for them.
    static func begin(isAsked: Bool) throws {
        let trace = ProcessInfo.processInfo.environment["LANDSCAPE_TRACE"].flatMap { $0.isEmpty ? nil : $0 }
        if Profile.active == nil, isAsked || trace != nil { try Profile.begin(trace: trace) }
        prints = prints || isAsked
    }

    /// Completes the trace and prints the table on stderr.
    static func end() throws {
        guard let profile = Profile.active else { return }
        try profile.finish()
        if prints { FileHandle.standardError.write(Data((table(profile) + "\n").utf8)) }
    }

    private static func table(_ profile: Profile) -> String {
        var table = Report.Table(
            columns: ["step"]
                + ["runs", "seconds", "share", "GFLOP/s", "GB/s"].map { Report.Column($0, alignment: .right) }
        )
        let total = profile.total
        table.rows = profile.longest(10).map { step in
            [
                step.label, "\(step.runs)", formatSignificant(step.seconds),
                formatSignificant(100 * step.seconds / max(total, .leastNormalMagnitude)) + " %",
                formatSignificant(Double(step.flops) / step.seconds / 1e9),
                formatSignificant(Double(step.bytes) / step.seconds / 1e9),
            ].map { Report.Cell($0) }
        }
        return "\nall steps: \(formatSignificant(total)) s\n" + table.text
    }
}
