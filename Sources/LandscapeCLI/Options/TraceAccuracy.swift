import ArgumentParser
import Foundation

/// How accurate a trace is to be: `±1%`, `1%` or `0.01` of it; without a number, as accurate as its probes make it.
struct TraceAccuracy: ExpressibleByArgument, CustomStringConvertible {
    /// Half the width of the interval beside the trace.
    let relative: Double?

    static let probes = TraceAccuracy(relative: nil)

    init(relative: Double?) { self.relative = relative }

    /// What was given and is no accuracy: told by `validate`, because an optional value that cannot be read counts as none.
    private(set) var unreadable: String?

    init?(argument: String) {
        relative = Self.share(argument)
        if relative == nil, argument != Self.probes.defaultValueDescription { unreadable = argument }
    }

    private static func share(_ argument: String) -> Double? {
        var text = argument.replacingOccurrences(of: "+-", with: "").replacingOccurrences(of: "±", with: "")
        let isPercent = text.hasSuffix("%")
        if isPercent { text.removeLast() }
        guard let number = Double(text.trimmingCharacters(in: .whitespaces)), number > 0 else { return nil }
        let share = isPercent ? number / 100 : number
        return share < 1 ? share : nil
    }

    func validate() throws {
        if let unreadable {
            throw ValidationError(
                "--trace \(unreadable): expected an accuracy such as ±1% or 0.01, or nothing")
        }
    }

    /// How the help calls it.
    var description: String { defaultValueDescription }

    var defaultValueDescription: String { relative.map { "\($0)" } ?? "probes" }
}
