import Foundation
import Testing

@testable import Report

@Suite struct FigureTests {
    @Test func dataHoldsEverySeriesAndReadsBack() {
        let data = Samples.lines().files.data
        #expect(data.hasPrefix("# λ_max"))
        let blocks = data.components(separatedBy: "\n\n\n")
        #expect(blocks.count == 4)
        #expect(blocks[0].contains("\n0.0 4.0 3.0 5.0\n"))
        #expect(blocks[1].contains("\n1.0 NaN\n"))
        #expect(blocks[1].contains("\n3.0 NaN"))
        #expect(blocks[3].contains("NaN NaN"))
    }

    @Test(arguments: [0.1, 1.0 / 3, .leastNonzeroMagnitude, -1.7976931348623157e308, 123_456_789.123_456_79])
    func numbersRoundTrip(_ value: Double) {
        #expect(Double(GnuplotText.number(value)) == value)
    }

    @Test func textsAreLiteral() {
        let script = Samples.lines().files.script
        #expect(script.contains(#"'λ_max {of} ε@1 "q" it''s a^b \n & <x>' at screen"#))
        #expect(script.contains("set xlabel 'step [epochs]' noenhanced"))
        #expect(GnuplotText.quoted("a\nb\u{7}'") == "'a b '''")
    }

    @Test func rolesKeepTheirColour() {
        let script = Samples.lines().files.script
        #expect(script.contains("linecolor rgb '#0072B2' title 'standard' noenhanced"))
        #expect(script.contains("linecolor rgb '#D55E00' title 'adversarial' noenhanced"))
        #expect(script.contains("dashtype (9,6) linecolor rgb '#4D4D4D' title 'theory'"))
        #expect(!script.contains("title 'empty'"))
        #expect(script.contains("set output 'loss.svg'"))
        #expect(!script.contains("/"))
    }

    @Test func equalLabelsShareColourAndLegend() {
        guard case .panels(let plots) = Samples.panels().kind else { return }
        let colours = Palette.colours(for: plots)
        #expect(colours[0][0] == colours[1][1])
        #expect(Set(colours.flatMap(\.self)).count == 3)
        let script = Samples.panels().files.script
        #expect(script.components(separatedBy: "keyentry").count == 4)
        #expect(script.contains("index 3 using"))
    }

    @Test func logarithmicBandStaysPositive() {
        let script = Samples.lines(isLogarithmic: true).files.script
        #expect(script.contains("set logscale y"))
        #expect(script.contains("using 1:(positive($3)):(positive($4))"))
    }

    @Test func heatMapsNameTheirCells() {
        let files = Samples.heatMap(3) { $0 == 1 ? .nan : Double(10 * $0 + $1) }.files
        let rows = files.data.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(rows.count == 6)
        #expect(rows[1] == "1 0 1.0 \"layer 1 'it's' a_b\" \"layer 0 'it's' a_b\"")
        #expect(rows[2].hasPrefix("0 1 NaN") && rows[5].hasPrefix("1 2 21.0"))
        #expect(files.script.contains("set yrange [2.5:-0.5]"))
        #expect(files.script.contains("'layer 1 \"it''s\" a_b' 1"))
        #expect(Samples.heatMap(2) { _, _ in .nan }.files.nothing != nil)
        var short = Samples.heatMap(2) { _, _ in 1 }
        guard case .heatMap(var map) = short.kind else { return }
        map.cells.append(1)
        short.kind = .heatMap(map)
        #expect(throws: ReportError.self) { try short.check() }
    }

    @Test func surfaceHasGridContoursAndPaths() {
        let files = Samples.surface { x, y in x * x + y * y }.files
        let blocks = files.data.components(separatedBy: "\n\n\n")
        #expect(blocks.count == 4)
        #expect(blocks[0].components(separatedBy: "\n\n").count == 9)
        #expect(blocks[0].contains("-1.0 -1.0 2.0\n"))
        #expect(files.script.contains("set cntrparam levels discrete 0.2, 0.4"))
        #expect(files.script.contains("index 3 using 1:2 with linespoints"))
        #expect(files.script.components(separatedBy: "\nset colorbox").count == 2)
    }

    @Test func nothingToDrawIsSaid() {
        let none = LinePlot(x: Axis("x"), y: Axis("y"), series: [Series("a", x: [1], y: [.nan])])
        #expect(Figure(name: "a", title: "", kind: .lines(none)).files.nothing != nil)
        #expect(Samples.surface { _, _ in .nan }.files.nothing != nil)
        #expect(Samples.surface(isLogarithmic: true) { _, _ in -1 }.files.nothing != nil)
        #expect(Samples.surface { _, _ in 1 }.files.nothing == nil)
    }

    @Test(arguments: ["", "a b", "../x", ".x", "-x", "λ", "a/b"])
    func badNamesAreRefused(_ name: String) {
        #expect(throws: ReportError.self) { try Samples.lines(name: name).check() }
    }

    @Test func contradictionsAreRefused() throws {
        let axis = Axis("a")
        func check(_ kind: Figure.Kind) throws(ReportError) {
            try Figure(name: "a", title: "", kind: kind).check()
        }
        let short = LinePlot(x: axis, y: axis, series: [Series("s", x: [1, 2], y: [1])])
        #expect(throws: ReportError.badFigure(name: "a", reason: "series 's' has 2 x values and 1 y values"))
        {
            try check(.lines(short))
        }
        #expect(throws: ReportError.self) { try check(.panels([])) }
        for grid in [[0.0, 0], [1, 0], [0, .nan], [0, 1, 3]] {
            let panel = SurfacePanel(z: grid + grid)
            let surface = SurfacePlot(
                xAxis: axis, yAxis: axis, value: axis, x: grid, y: [0, 1], panels: [panel])
            #expect(throws: ReportError.self) { try check(.surface(surface)) }
        }
        let ragged = SurfacePlot(
            xAxis: axis, yAxis: axis, value: axis, x: [0, 1], y: [0, 1], panels: [SurfacePanel(z: [1])])
        #expect(throws: ReportError.self) { try check(.surface(ragged)) }
        try Samples.lines().check()
    }
}
