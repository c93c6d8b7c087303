import Foundation

/// How texts and numbers are written for gnuplot.
enum GnuplotText {
    /// A quoted text that gnuplot takes literally; the command must also say `noenhanced`.
    static func quoted(_ text: String) -> String {
        "'" + line(text).replacingOccurrences(of: "'", with: "''") + "'"
    }

    /// The text on one line, without control characters.
    static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    /// The shortest digits that read back as the same number (at most 17); NaN where there is none.
    static func number(_ value: Double) -> String {
        value.isFinite ? value.description : "NaN"
    }

    /// A short number for ranges and positions in scripts.
    static func short(_ value: Double) -> String {
        String(format: "%.6g", value)
    }

    /// `[low:high]`.
    static func range(_ range: ClosedRange<Double>) -> String {
        // Twelve digits keep a narrow range around a large value apart.
        String(format: "[%.12g:%.12g]", range.lowerBound, range.upperBound)
    }

    /// The commands that open every script: the terminal, the output, and a quiet frame.
    static func preamble(_ figure: Figure, _ frame: Frame) -> [String] {
        [
            "# \(line(figure.title))",
            "# Draws \(figure.name).svg from \(figure.name).dat: "
                + "run `gnuplot \(figure.name).gp` in this folder.",
            "reset",
            "set encoding utf8",
            "set terminal svg size \(frame.width),\(frame.height) enhanced font 'sans-serif,13' "
                + "background 'white' linewidth 1",
            "set output '\(figure.name).svg'",
            "set border 3 linecolor rgb '#666666' linewidth 0.8",
            "set tics nomirror out scale 0.5 textcolor rgb '#333333'",
            "set xtics offset 0,0.3",
            "set grid linetype 1 linecolor rgb '#E8E8E8' linewidth 0.8 dashtype solid",
            frame.title(figure.title),
        ]
    }

    /// Scale, format and ticks of a colour bar.
    static func colourAxis(_ axis: Axis, _ range: ClosedRange<Double>) -> [String] {
        guard axis.isLogarithmic else { return ["set format cb '%h'"] }
        let ticks = AxisRange.niceRatios(range, count: 8).map(short).joined(separator: ", ")
        let wide = range.upperBound / range.lowerBound >= 10_000
        return ["set logscale cb", "set format cb '\(wide ? "10^{%T}" : "%h")'", "set cbtics (\(ticks))"]
    }
}
