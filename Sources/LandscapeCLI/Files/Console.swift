import Foundation
import Report

/// What goes to the terminal: results on stdout, notes and progress on stderr.
enum Console {
    /// Whether stderr is a terminal.
    static let isTerminal = isatty(2) == 1

    /// One line on stderr.
    static func note(_ text: String) {
        clear()
        FileHandle.standardError.write(Foundation.Data((text + "\n").utf8))
    }

    /// Replaces the progress line, on a terminal only.
    static func progress(_ text: String) {
        if isTerminal { FileHandle.standardError.write(Foundation.Data(("\r\u{1B}[K" + text).utf8)) }
    }

    /// Removes the progress line.
    static func clear() {
        if isTerminal { FileHandle.standardError.write(Foundation.Data("\r\u{1B}[K".utf8)) }
    }

    /// A two-column table on stdout.
    static func table(_ rows: [(String, String)]) {
        var table = Report.Table(columns: ["quantity", Report.Column("value", alignment: .right)])
        table.rows = rows.map { [Report.Cell($0.0), Report.Cell($0.1)] }
        print(table.text)
    }

    /// One JSON object on stdout.
    static func json(_ value: some Encodable) throws {
        print(String(decoding: try JSON.encode(value), as: UTF8.self))
    }
}

/// All digits of a number, for messages. Swift shows the sign of a NaN, which means nothing.
func plain(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

/// How JSON is written everywhere: sorted keys, one object, numbers that are not finite as strings.
enum JSON {
    static func encode(_ value: some Encodable, isPretty: Bool = true) throws -> Foundation.Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(value)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ data: Foundation.Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode(type, from: data)
    }
}

/// A progress line that says how far a long run is and how long it will take; renewed a few times a second.
struct ProgressLine {
    private let start = ContinuousClock.now
    private var shown = ContinuousClock.now - .seconds(1)
    let title: String

    init(_ title: String) { self.title = title }

    /// Whether it is time for a new line: what the line says may cost a wait for the device.
    func isDue() -> Bool { Console.isTerminal && ContinuousClock.now - shown > .milliseconds(250) }

    /// Shows a new line if it is time.
    mutating func show(_ fraction: Double, _ detail: String = "") {
        guard isDue() else { return }
        shown = .now
        let spent = (shown - start) / .seconds(1)
        let left = fraction > 0 ? ", \(formatSeconds(spent * (1 - fraction) / fraction)) left" : ""
        Console.progress("\(title): \(Int(fraction * 100)) %\(detail.isEmpty ? "" : ", \(detail)")\(left)")
    }
}
