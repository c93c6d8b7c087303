import ArgumentParser
import Foundation

/// How accurate a trace is to be: `±1%`, `1%` or `0.01` of it; without a number, as accurate as its probes make it.
struct TraceAccuracy: ExpressibleByArgument {
    /// Half the width of the interval beside the trace.
    let relative: Double?

    static let probes = TraceAccuracy(relative: nil)

    init(relative: Double?) { self.relative = relative }

    init?(argument: String) {
        if argument == "probes" {
            relative = nil
            return
        }
        var text = argument.replacingOccurrences(of: "+-", with: "").replacingOccurrences(of: "±", with: "")
        let isPercent = text.hasSuffix("%")
        if isPercent { text.removeLast() }
        guard let number = Double(text.trimmingCharacters(in: .whitespaces)), number > 0 else { return nil }
        let share = isPercent ? number / 100 : number
        guard share < 1 else { return nil }
        relative = share
    }

    var defaultValueDescription: String { relative.map { "\($0)" } ?? "probes" }
}
