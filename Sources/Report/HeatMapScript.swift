import Foundation

extension Figure {
    /// The files' texts of a heat map.
    func heatMapFiles(_ map: HeatMap) -> FigureFiles {
        let script = HeatMapScript(figure: self, map: map)
        return FigureFiles(
            data: script.data, script: script.lines.joined(separator: "\n") + "\n",
            nothing: script.range == nil ? "no cell can be shown on the colour scale" : nil)
    }
}

/// Data and script of a heat map.
struct HeatMapScript {
    let figure: Figure
    let map: HeatMap

    /// What the colour scale spans.
    var range: ClosedRange<Double>? { AxisRange.fitting(map.cells, axis: map.value, padding: 0) }

    var data: String {
        var text = """
            # \(GnuplotText.line(figure.title))
            # Columns: column, row, value, name of the column, name of the row. NaN leaves a gap.

            """
        for (row, name) in map.rows.enumerated() {
            for (column, other) in map.columns.enumerated() {
                let value = GnuplotText.number(map.cells[row * map.columns.count + column])
                text += "\(column) \(row) \(value) \"\(Self.plain(other))\" \"\(Self.plain(name))\"\n"
            }
            text += "\n"
        }
        return text
    }

    private static func plain(_ name: String) -> String {
        GnuplotText.line(name).replacingOccurrences(of: "\"", with: "'")
    }

    /// The script, line by line.
    var lines: [String] {
        let longest = (map.rows.map(\.count).max() ?? 0, map.columns.map(\.count).max() ?? 0)
        let left = 54 + Double(longest.0) * Frame.characterWidth
        // Many columns need names that stand upright.
        let isUpright = longest.1 > 3 && map.columns.count > 6
        let bottom = 52 + (isUpright ? Double(longest.1) * Frame.characterWidth * 0.85 : 12)
        let cell = max(18, min(46, 520 / Double(max(map.rows.count, map.columns.count, 1))))
        let plot = (
            width: max(200, cell * Double(map.columns.count)), height: max(120, cell * Double(map.rows.count))
        )
        // The title needs room too.
        let width = max(left + plot.width + 130, Double(figure.title.count) * 8.6 + 40)
        let frame = Frame(width: Int(width), height: Int(plot.height + bottom + 50), labels: [])
        let range = range ?? 1...10
        var lines = GnuplotText.preamble(figure, frame)
        lines += [
            "set xrange [-0.5:\(Double(map.columns.count) - 0.5)]",
            "set yrange [\(Double(map.rows.count) - 0.5):-0.5]",
            "set cbrange \(GnuplotText.range(range))",
            "set palette defined ("
                + Palette.viridis.enumerated().map { "\($0) '\($1)'" }.joined(separator: ", ") + ")",
            "set xtics (\(names(map.columns)))\(isUpright ? " rotate by 90 right" : "") noenhanced",
            "set ytics (\(names(map.rows))) noenhanced",
            "set xlabel \(GnuplotText.quoted(map.xLabel)) noenhanced",
            "set ylabel \(GnuplotText.quoted(map.yLabel)) noenhanced",
            "set cblabel \(GnuplotText.quoted(map.value.text)) noenhanced offset 1,0",
            "set border 15", "unset grid", "unset key",
            "set lmargin at screen \(frame.horizontal(left))",
            "set rmargin at screen \(frame.horizontal(left + plot.width))",
            "set bmargin at screen \(frame.vertical(bottom))",
            "set tmargin at screen \(frame.vertical(fromTop: 44))",
            "set colorbox user origin screen \(frame.horizontal(left + plot.width + 18)),"
                + "\(frame.vertical(bottom)) size screen \(frame.horizontal(16)),\(frame.vertical(plot.height))",
        ]
        lines += GnuplotText.colourAxis(map.value, range)
        let value = map.value.isLogarithmic ? "($3 > 0 ? $3 : NaN)" : "3"
        return lines + ["plot '\(figure.name).dat' using 1:2:\(value) with image pixels"]
    }

    private func names(_ names: [String]) -> String {
        names.enumerated().map { "\(GnuplotText.quoted($1)) \($0)" }.joined(separator: ", ")
    }
}
