import Foundation

extension Figure {
    /// The files' texts of a `surface` figure: colour maps with contour lines and one colour bar.
    func surfaceFiles(_ surface: SurfacePlot) -> FigureFiles {
        let script = SurfaceScript(figure: self, surface: surface)
        return FigureFiles(
            data: script.data, script: script.lines.joined(separator: "\n") + "\n", nothing: script.nothing)
    }
}

/// Data and script of a surface plot.
struct SurfaceScript {
    let figure: Figure
    let surface: SurfacePlot

    /// Why there is nothing to draw, if so.
    var nothing: String? {
        if surface.x.count < 2 || surface.y.count < 2 {
            return "a surface needs at least 2 x 2 grid points, this one has "
                + "\(surface.x.count) x \(surface.y.count)"
        }
        return valueRange == nil ? "no value of the surface can be shown on its colour scale" : nil
    }

    private var valueRange: ClosedRange<Double>? {
        AxisRange.fitting(surface.panels.lazy.flatMap(\.z), axis: surface.value, padding: 0)
    }

    /// Grid values one row per line, a blank line after each row of the grid; then the paths.
    var data: String {
        var text = """
            # \(GnuplotText.line(figure.title))
            # Columns: x, y, value. One block per map, two blank lines between them, a blank line
            # after each row of the grid; then one block of x, y per path. NaN leaves a gap.

            """
        var blocks: [String] = []
        for panel in surface.panels {
            var rows: [String] = []
            for j in surface.y.indices {
                rows.append(
                    surface.x.indices.map { i in
                        [surface.x[i], surface.y[j], panel.z[j * surface.x.count + i]]
                            .map(GnuplotText.number).joined(separator: " ") + "\n"
                    }.joined())
            }
            blocks.append("# map: \(GnuplotText.line(panel.title))\n" + rows.joined(separator: "\n"))
        }
        for panel in surface.panels {
            guard let path = panel.path, !path.x.isEmpty else { continue }
            let rows = zip(path.x, path.y).map { GnuplotText.number($0) + " " + GnuplotText.number($1) }
            blocks.append(
                "# path: \(GnuplotText.line(panel.title))\n" + rows.joined(separator: "\n") + "\n")
        }
        text += blocks.joined(separator: "\n\n")
        return text
    }

    /// The script, line by line.
    var lines: [String] {
        let two = surface.panels.count == 2
        let frame = Frame(width: two ? 860 : 600, height: two ? 440 : 490, labels: [])
        let bar = Double(frame.width) - 96
        let titled = surface.panels.contains { !$0.title.isEmpty }
        let top = Double(frame.top) + (titled ? 20 : 0)
        let height = Double(frame.height) - 64 - top
        let range = valueRange ?? 1...10

        var lines = GnuplotText.preamble(figure, frame)
        lines += levelLines(range)
        lines += [
            "set xrange \(cells(surface.x))",
            "set yrange \(cells(surface.y))",
            "set cbrange \(GnuplotText.range(range))",
            "set palette defined ("
                + Palette.viridis.enumerated().map { "\($0) '\($1)'" }.joined(separator: ", ") + ")",
            "set xlabel \(GnuplotText.quoted(surface.xAxis.text)) noenhanced offset 0,0.4",
            "set ylabel \(GnuplotText.quoted(surface.yAxis.text)) noenhanced",
            "set cblabel \(GnuplotText.quoted(surface.value.text)) noenhanced offset 1,0",
            "set border 15",
            "unset grid",
            "unset key",
        ]
        lines += GnuplotText.colourAxis(surface.value, range)
        lines.append(
            "set multiplot layout 1,\(surface.panels.count) margins screen "
                + "\(frame.horizontal(74)),\(frame.horizontal(bar - 18)),"
                + "\(frame.vertical(64)),\(frame.vertical(fromTop: top))"
                + " spacing screen \(frame.horizontal(36))")
        var pathIndex = surface.panels.count
        for (number, panel) in surface.panels.enumerated() {
            lines.append("")
            if !panel.title.isEmpty {
                lines.append("set title \(GnuplotText.quoted(panel.title)) noenhanced offset 0,-0.4")
            } else {
                lines.append("unset title")
            }
            if number == surface.panels.count - 1 {
                lines.append(
                    "set colorbox user origin screen \(frame.horizontal(bar)),\(frame.vertical(64)) "
                        + "size screen \(frame.horizontal(16)),\(frame.vertical(height))")
            } else {
                lines.append("unset colorbox")
            }
            lines.append(
                "plot \\\n    " + elements(number, panel, &pathIndex).joined(separator: ", \\\n    "))
            if number == 0 { lines.append("unset label 1") }
            if number == 0, two { lines += ["unset ylabel", "set format y ''"] }
        }
        lines.append("\nunset multiplot")
        return lines
    }

    /// The range of the grid's cells, which are centred on its points.
    private func cells(_ grid: [Double]) -> String {
        guard let first = grid.first, let last = grid.last, grid.count > 1 else { return "[0:1]" }
        let half = (last - first) / Double(grid.count - 1) / 2
        return GnuplotText.range(first - half...last + half)
    }

    private func elements(_ number: Int, _ panel: SurfacePanel, _ pathIndex: inout Int) -> [String] {
        // Values that a logarithmic scale cannot show leave gaps too.
        let value = surface.value.isLogarithmic ? "($3 > 0 ? $3 : NaN)" : "3"
        var elements = ["'\(figure.name).dat' index \(number) using 1:2:\(value) with image"]
        if hasContours(panel) {
            elements += [
                "$contours\(number + 1) using 1:2 with lines linewidth 0.9 linecolor rgb '#40FFFFFF'",
                "$contours\(number + 1) every 400::12 using 1:2:(sprintf('%.3g', $3)) with labels "
                    + "font ',9' textcolor rgb 'white'",
            ]
        }
        if let path = panel.path, !path.x.isEmpty {
            let block = "'\(figure.name).dat' index \(pathIndex)"
            if path.x.count > 1 {
                elements += [
                    "\(block) using 1:2 with lines linewidth 3.2 linecolor rgb 'white'",
                    "\(block) using 1:2 with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 "
                        + "linecolor rgb '#D55E00'",
                ]
            } else {
                elements += [
                    "\(block) using 1:2 with points pointtype 7 pointsize 0.9 linecolor rgb 'white'",
                    "\(block) using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb '#D55E00'",
                ]
            }
            pathIndex += 1
        }
        return elements
    }

    /// Commands that trace the contour lines of each map into `$contours1`, `$contours2`.
    private func levelLines(_ range: ClosedRange<Double>) -> [String] {
        guard surface.panels.contains(where: hasContours) else { return [] }
        var lines = [
            "", "# The contour lines, traced into named blocks.", "set contour base", "unset surface",
            "set cntrparam levels discrete \(levels(range).map(GnuplotText.number).joined(separator: ", "))",
        ]
        for (number, panel) in surface.panels.enumerated() where hasContours(panel) {
            lines += [
                "set table $contours\(number + 1)",
                "splot '\(figure.name).dat' index \(number) using 1:2:3 with lines",
                "unset table",
            ]
        }
        return lines + ["unset contour", ""]
    }

    private func levels(_ range: ClosedRange<Double>) -> [Double] {
        surface.value.isLogarithmic
            ? AxisRange.niceRatios(range, count: 8) : AxisRange.niceSteps(range, count: 8)
    }

    /// Whether some contour level lies inside the values of `panel`.
    private func hasContours(_ panel: SurfacePanel) -> Bool {
        let shown = panel.z.filter(surface.value.shows)
        guard surface.x.count > 1, surface.y.count > 1, let range = valueRange,
            let low = shown.min(), let high = shown.max()
        else { return false }
        return levels(range).contains { low < $0 && $0 < high }
    }
}
