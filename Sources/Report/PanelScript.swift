import Foundation

extension Figure {
    /// The files' texts of a `panels` figure: plots in a grid, one legend under the title.
    func panelFiles(_ plots: [LinePlot]) -> FigureFiles {
        let colours = Palette.colours(for: plots)
        var scripts: [LineScript] = []
        for (plot, colours) in zip(plots, colours) {
            let first = scripts.reduce(0) { $0 + $1.plot.series.count }
            scripts.append(LineScript(plot: plot, colours: colours, firstIndex: first))
        }
        let columns = plots.count == 3 ? 3 : 2
        let rows = (plots.count + columns - 1) / columns
        let frame = Frame(
            width: columns == 3 ? 1000 : 760, height: rows == 1 ? 380 : 660,
            labels: PanelScript.labels(scripts))
        let left = scripts.map(\.leftMargin).max() ?? 80
        let titleHeight = plots.contains { !$0.title.isEmpty } ? 28.0 : 6
        let above = Double(frame.top) + titleHeight
        // Under each panel: tick labels, axis label and the title of the next row.
        let below = 58 + titleHeight
        let rowHeight = (Double(frame.height) - above + titleHeight) / Double(rows)
        let columnWidth = Double(frame.width - 8) / Double(columns)

        var lines = GnuplotText.preamble(self, frame)
        lines += ["unset key", "set multiplot"]
        for (number, script) in scripts.enumerated() {
            let x = Double(number % columns) * columnWidth
            let y = above + Double(number / columns) * rowHeight
            lines += [
                "",
                "set lmargin at screen \(frame.horizontal(x + left))",
                "set rmargin at screen \(frame.horizontal(x + columnWidth - 12))",
                "set tmargin at screen \(frame.vertical(fromTop: y))",
                "set bmargin at screen \(frame.vertical(fromTop: y + rowHeight - below))",
                "set title \(GnuplotText.quoted(script.plot.title)) noenhanced offset 0,-0.4",
            ]
            lines += script.axes(xTicks: 4, yTicks: 4) + script.helper
            var elements = script.elements(file: "\(name).dat", titled: false)
            if elements.isEmpty {
                // A panel without points keeps its place, empty.
                lines += ["unset logscale", "set xrange [0:1]", "set yrange [0:1]"]
                elements = ["NaN notitle"]
            }
            lines.append("plot \\\n    " + elements.joined(separator: ", \\\n    "))
            if number == 0 { lines.append("unset label 1") }
        }
        lines += PanelScript.legend(scripts, frame) + ["", "unset multiplot"]
        let empty = scripts.allSatisfy(\.visible.isEmpty)
        return FigureFiles(
            data: LineScript.header(self) + scripts.map(\.data).joined(separator: "\n\n"),
            script: lines.joined(separator: "\n") + "\n",
            nothing: empty ? "no series has a point that its axes can show" : nil)
    }
}

/// What panels need beside their line plots.
enum PanelScript {
    /// The labels of all shown series, each once, in order of appearance.
    static func labels(_ scripts: [LineScript]) -> [String] {
        entries(scripts).map(\.label)
    }

    /// A last plot of nothing but the legend, as wide as the canvas; none for a single label.
    static func legend(_ scripts: [LineScript], _ frame: Frame) -> [String] {
        let entries = entries(scripts)
        guard entries.count > 1 else { return [] }
        let elements = entries.map { "keyentry \($0.look) title \(GnuplotText.quoted($0.label)) noenhanced" }
        return [
            "", "# The legend of all panels.",
            "unset border", "unset tics", "unset grid", "unset title", "unset xlabel", "unset ylabel",
            "unset logscale", "set xrange [0:1]", "set yrange [0:1]",
            "set lmargin at screen 0", "set rmargin at screen 1", "set bmargin at screen 0",
            "set tmargin at screen 1",
            frame.legend,
            "plot \\\n    " + (["NaN notitle"] + elements).joined(separator: ", \\\n    "),
        ]
    }

    private static func entries(_ scripts: [LineScript]) -> [(label: String, look: String)] {
        var seen: Set<String> = []
        var entries: [(label: String, look: String)] = []
        for script in scripts {
            for number in script.visible {
                let label = script.plot.series[number].label
                guard !label.isEmpty, seen.insert(label).inserted else { continue }
                entries.append((label, script.look(number)))
            }
        }
        return entries
    }
}
