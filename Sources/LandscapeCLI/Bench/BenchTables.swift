import Bench
import Planner
import Report

/// The tables of a benchmark: a section per device, a table per group.
struct BenchTables {
    private let file: BenchFile

    init(_ file: BenchFile) { self.file = file }

    /// Prints all sections.
    func show() {
        for device in file.devices {
            print("\(device.device.selector): \(device.device.name)")
            if let problem = device.problem { print("  \(problem)") }
            if let line = Self.line(device.ceilings) { print("  \(line)") }
            print("")
            for (_, table) in tables(device.device.selector) { print(table.text) }
        }
        for note in notes { print(note) }
    }

    /// What a device delivers at most, as a sentence.
    static func line(_ ceilings: Ceilings?) -> String? {
        guard let ceilings else { return nil }
        let flops = Precision.allCases.compactMap { precision in
            ceilings.flops[precision.rawValue].map {
                "\(formatSignificant($0 / 1e9)) GFLOP/s in \(precision.rawValue)"
            }
        }
        let bytes = ceilings.bytes.map { ["\(formatSignificant($0 / 1e9)) GB/s"] } ?? []
        let mark = ceilings.isDisturbed == true ? " ~" : ""
        return flops + bytes == [] ? nil : "ceilings: " + (flops + bytes).joined(separator: ", ") + mark
    }

    /// The tables of a device, by the titles of their groups.
    func tables(_ device: String) -> [(title: String, table: Report.Table)] {
        Catalogue.groups.compactMap { group in
            let results = file.results.filter { $0.device == device && $0.group == group.name }
            return results.isEmpty ? nil : (group.title, table(group.title, results))
        }
    }

    /// What marks in the tables mean, and what went wrong.
    var notes: [String] {
        var notes: [String] = []
        let hasBusyCeilings = file.devices.contains { $0.ceilings?.isDisturbed == true }
        if hasBusyCeilings || file.results.contains(where: \.isDisturbed) {
            notes.append("~ machine busy: other processes took part of a processor meanwhile")
        }
        return notes + file.failures.map { "\($0.device), \($0.id): \($0.problem)" }
    }

    private struct Field {
        let column: Report.Column
        let text: (BenchResult) -> String?
    }

    private func table(_ title: String, _ results: [BenchResult]) -> Report.Table {
        let fields = Self.fields.filter { field in results.contains { field.text($0) != nil } }
        return Report.Table(
            caption: title, columns: fields.map(\.column),
            rows: results.map { result in fields.map { Report.Cell($0.text(result) ?? "–") } })
    }

    private static var fields: [Field] {
        [
            Field(column: "measurement") { String($0.id.dropFirst($0.group.count + 1)) },
            Field(column: Report.Column("median", alignment: .right)) { formatSeconds($0.summary.median) },
            Field(column: Report.Column("spread", tooltip: "middle half over median", alignment: .right)) {
                percent($0.summary.spread) + ($0.isDisturbed ? " ~" : "")
            },
            Field(column: Report.Column("runs", alignment: .right)) { "\($0.summary.count)" },
            Field(column: Report.Column("GFLOP/s", alignment: .right)) {
                $0.work.flops > 0 && $0.group != "launch"
                    ? formatSignificant($0.rate($0.work.flops) / 1e9) : nil
            },
            Field(column: Report.Column("GB/s", alignment: .right)) {
                $0.work.bytes > 0 && $0.group != "launch"
                    ? formatSignificant($0.rate($0.work.bytes) / 1e9) : nil
            },
            Field(column: Report.Column("samples/s", alignment: .right)) { result in
                result.itemsPerRun.map { formatSignificant(result.rate($0)) }
            },
            Field(
                column: Report.Column("of GEMM", tooltip: "of the fastest matrix product", alignment: .right)
            ) {
                $0.fractions?.compute.map(percent)
            },
            Field(
                column: Report.Column("of memory", tooltip: "of the fastest copy or triad", alignment: .right)
            ) {
                $0.fractions?.memory.map(percent)
            },
            Field(column: "of roofline") { $0.fractions?.roofline.map { bar($0) + " " + percent($0) } },
            Field(column: Report.Column("error", alignment: .right)) {
                formatSignificant($0.check.error, digits: 2)
            },
        ]
    }

    private static func percent(_ share: Double) -> String {
        formatSignificant(100 * share, digits: 2) + " %"
    }

    /// Ten characters, full at 1.
    private static func bar(_ share: Double) -> String {
        let full = min(10, max(0, Int((10 * share).rounded())))
        return String(repeating: "█", count: full) + String(repeating: "░", count: 10 - full)
    }

    // MARK: Comparison

    /// Two runs side by side.
    static func table(_ comparison: Comparison) -> String {
        var table = Report.Table(
            columns: [
                "device", "measurement", Report.Column("first", alignment: .right),
                Report.Column("second", alignment: .right), Report.Column("speed", alignment: .right),
                "interval", "verdict",
            ])
        table.rows = comparison.rows.map { row in
            let interval = "\(formatSignificant(row.low)) to \(formatSignificant(row.high))"
            return [
                row.device, row.id, formatSeconds(row.first), formatSeconds(row.second),
                formatSignificant(row.ratio), interval, row.verdict.rawValue,
            ].map { Report.Cell($0) }
        }
        let counts = [Comparison.Verdict.faster, .slower, .same, .busy].map { verdict in
            "\(comparison.rows.count { $0.verdict == verdict }) \(verdict.rawValue)"
        }
        var text = table.text + "\n" + counts.joined(separator: ", ") + "\n"
        for (which, names) in [("first", comparison.onlyFirst), ("second", comparison.onlySecond)]
        where !names.isEmpty {
            text += "only in the \(which): \(names.joined(separator: ", "))\n"
        }
        return text
    }
}
