import Foundation

/// Data and script of one line plot, shared by `lines` and `panels`.
struct LineScript {
    let plot: LinePlot
    /// One colour per series.
    let colours: [String]
    /// The number of the first data block of this plot in the file.
    let firstIndex: Int

    /// Series that have at least one point to show, by number.
    var visible: [Int] {
        plot.series.indices.filter { number in
            let series = plot.series[number]
            return zip(series.x, series.y).contains { plot.x.shows($0) && plot.y.shows($1) }
        }
    }

    /// Blocks in the data file: one per series.
    var data: String {
        plot.series.map { series in
            var lines = ["# series: \(GnuplotText.line(series.label))"]
            for index in series.x.indices {
                var row = [series.x[index], series.y[index]]
                if let band = series.band { row += [band.lower[index], band.upper[index]] }
                lines.append(row.map(GnuplotText.number).joined(separator: " "))
            }
            // A block without rows would shift the numbers of those after it.
            if series.x.isEmpty { lines.append(series.band == nil ? "NaN NaN" : "NaN NaN NaN NaN") }
            return lines.joined(separator: "\n") + "\n"
        }.joined(separator: "\n\n")
    }

    /// Axis commands: labels, scales, ranges, ticks.
    func axes(xTicks: Int, yTicks: Int) -> [String] {
        LineScript.commands("x", plot.x, xRange, ticks: xTicks) + ["set xlabel offset 0,0.4"]
            + LineScript.commands("y", plot.y, yRange, ticks: yTicks) + ["set ylabel offset 0.6,0"]
    }

    /// Pixels that the tick labels and the label of the y axis need.
    var leftMargin: Double {
        guard let yRange else { return 60 }
        let characters: Int
        if plot.y.isLogarithmic {
            characters = LineScript.isWide(yRange) ? 4 : 5
        } else {
            let positions = AxisRange.niceSteps(yRange, count: 6)
            // `%h` writes 1e+06 as 1×10⁶.
            characters = positions.map { String(format: "%g", $0).count }.max() ?? 5
        }
        return 44 + Double(max(characters, 2)) * Frame.characterWidth
    }

    private var xRange: ClosedRange<Double>? {
        let xs = visible.lazy.flatMap { number in
            let series = plot.series[number]
            return zip(series.x, series.y).filter { plot.y.shows($1) }.map(\.0)
        }
        return AxisRange.fitting(xs, axis: plot.x, padding: 0.02)
    }

    private var yRange: ClosedRange<Double>? {
        // On a logarithmic axis a lower edge close to zero would squeeze the curves.
        let ys = visible.lazy.flatMap { number -> [Double] in
            let series = plot.series[number]
            return series.y + (plot.y.isLogarithmic ? [] : series.band?.lower ?? [])
                + (series.band?.upper ?? [])
        }
        return AxisRange.fitting(ys, axis: plot.y, padding: 0.05)
    }

    private static func isWide(_ range: ClosedRange<Double>) -> Bool {
        range.upperBound / range.lowerBound >= 1000
    }

    private static func commands(
        _ name: String, _ axis: Axis, _ range: ClosedRange<Double>?, ticks: Int
    ) -> [String] {
        let label = "set \(name)label \(GnuplotText.quoted(axis.text)) noenhanced"
        let scale = axis.isLogarithmic ? "set logscale \(name)" : "unset logscale \(name)"
        guard let range else { return [label, scale] }
        let wide = axis.isLogarithmic && isWide(range)
        var tics = "set \(name)tics autofreq"
        if axis.isLogarithmic {
            let positions = AxisRange.niceRatios(range, count: ticks)
            tics = "set \(name)tics (\(positions.map(GnuplotText.short).joined(separator: ", ")))"
        } else {
            let positions = AxisRange.niceSteps(range, count: ticks)
            if positions.count >= 2 {
                tics = "set \(name)tics \(GnuplotText.short(positions[1] - positions[0]))"
            }
        }
        return [
            label, scale, "set format \(name) '\(wide ? "10^{%T}" : "%h")'",
            "set \(name)range \(GnuplotText.range(range))", tics,
        ]
    }

    /// The plot command's elements: bands below, then the series.
    func elements(file: String, titled: Bool) -> [String] {
        let low = plot.y.isLogarithmic ? "(positive($3)):(positive($4))" : "3:4"
        let bands = visible.filter { plot.series[$0].band != nil }.map { number in
            "'\(file)' index \(firstIndex + number) using 1:\(low) with filledcurves "
                + "fillcolor rgb '\(colours[number])' fillstyle transparent solid 0.18 noborder notitle"
        }
        return bands
            + visible.map { number in
                let series = plot.series[number]
                let title =
                    titled && !series.label.isEmpty
                    ? "title \(GnuplotText.quoted(series.label)) noenhanced" : "notitle"
                return "'\(file)' index \(firstIndex + number) using 1:2 \(look(number)) \(title)"
            }
            + visible.filter { plot.series[$0].style == .spikes }.map { number in
                "'\(file)' index \(firstIndex + number) using 1:2 with points pointtype 7 pointsize 0.45 "
                    + "linecolor rgb '\(colours[number])' notitle"
            }
    }

    /// The `with ...` clause of a series.
    func look(_ number: Int) -> String {
        let series = plot.series[number]
        let colour = "linecolor rgb '\(colours[number])'"
        switch series.style {
        case .spikes: return "with impulses linewidth 1.6 \(colour)"
        case .points: return "with points pointtype 7 pointsize 0.45 \(colour)"
        case .lineWithPoints: return "with linespoints pointtype 7 pointsize 0.45 linewidth 1.8 \(colour)"
        case .dashed where !hasLonePoint(series): return "with lines linewidth 1.8 dashtype (9,6) \(colour)"
        case .line where !hasLonePoint(series): return "with lines linewidth 1.8 \(colour)"
        case .dashed:
            return "with linespoints pointtype 7 pointsize 0.45 linewidth 1.8 dashtype (9,6) \(colour)"
        case .line: return "with linespoints pointtype 7 pointsize 0.45 linewidth 1.8 \(colour)"
        }
    }

    /// Whether a point stands between two gaps, where a line alone would not show it.
    private func hasLonePoint(_ series: Series) -> Bool {
        let shown = zip(series.x, series.y).map { plot.x.shows($0) && plot.y.shows($1) }
        return shown.indices.contains { index in
            shown[index] && !(index > 0 && shown[index - 1])
                && !(index + 1 < shown.count && shown[index + 1])
        }
    }

    /// The helper that keeps a band whose lower edge is not positive on a logarithmic axis.
    var helper: [String] {
        guard plot.y.isLogarithmic, visible.contains(where: { plot.series[$0].band != nil }) else {
            return []
        }
        return ["positive(v) = v > 0 ? v : 1e-300"]
    }

    /// The header of a data file of line plots.
    static func header(_ figure: Figure) -> String {
        """
        # \(GnuplotText.line(figure.title))
        # Columns: x, y, and for series with an error band its lower and upper edge.
        # One block per series, two blank lines between them; NaN leaves a gap.

        """
    }
}

extension Figure {
    /// The files' texts of a `lines` figure.
    func lineFiles(_ plot: LinePlot) -> FigureFiles {
        let script = LineScript(plot: plot, colours: Palette.colours(for: [plot])[0], firstIndex: 0)
        let frame = Frame(width: 760, height: 420, labels: PanelScript.labels([script]))
        var lines = GnuplotText.preamble(self, frame)
        lines += [
            frame.legend,
            "set lmargin at screen \(frame.horizontal(script.leftMargin))",
            "set rmargin at screen \(frame.horizontal(Double(frame.width) - 24))",
            "set bmargin at screen \(frame.vertical(62))",
            "set tmargin at screen \(frame.vertical(fromTop: Double(frame.top)))",
        ]
        lines += script.axes(xTicks: 8, yTicks: 6) + script.helper
        let elements = script.elements(file: "\(name).dat", titled: true)
        lines.append("plot \\\n    " + elements.joined(separator: ", \\\n    "))
        return FigureFiles(
            data: LineScript.header(self) + script.data,
            script: lines.joined(separator: "\n") + "\n",
            nothing: script.visible.isEmpty ? "no series has a point that its axes can show" : nil)
    }
}
