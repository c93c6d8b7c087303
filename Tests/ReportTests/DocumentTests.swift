import Foundation
import Testing

@testable import Report

@Suite struct DocumentTests {
    static let table = Table(
        caption: "A *table*",
        columns: ["name", Column("λ_max", tooltip: "largest \"eigenvalue\"", alignment: .right)],
        rows: [["standard <b>", "41.2"], [Cell("adversarial"), Cell("12.3", isBest: true)], ["short"]])

    static func sample(in folder: URL) throws -> Document {
        let gnuplot = Gnuplot()
        let figures = try [
            gnuplot.draw(Samples.lines(), in: folder), gnuplot.draw(Samples.panels(), in: folder),
            gnuplot.draw(Samples.surface { x, y in x * y }, in: folder),
            Gnuplot(searchPath: "").draw(Samples.lines(name: "later"), in: folder),
        ]
        return Document(
            title: "A & B <script>", subtitle: "It's \"quoted\"",
            blocks: [
                .heading("One < two"), .paragraph("Some **strong** and *soft* `a<b>` text & more."),
                .facts([Fact("device", "`cpu`")]), .table(table),
                .details(summary: "Command", blocks: [.code("a < b && c"), .heading("Deep", level: 9)]),
            ] + figures.map { .figure($0) })
    }

    @Test func pageIsWellFormedWithUniqueIds() throws {
        try Samples.inFolder { folder in
            let html = try Self.sample(in: folder).html
            let balance = XMLBalance()
            #expect(balance.parse(html) == nil)
            #expect(Set(balance.ids).count == balance.ids.count)
            #expect(Set(balance.references).isSubset(of: Set(balance.ids)))
            if GnuplotTests.isInstalled {
                #expect(balance.elements.filter { $0 == "svg" }.count == 3)
                #expect(balance.ids.contains("figure1-gpDot"))
            }
            #expect(balance.elements.filter { $0 == "figure" }.count == 4)
            #expect(!balance.elements.contains("script"))
            #expect(html.contains("<title>A &amp; B &lt;script&gt;</title>"))
            #expect(html.contains("<html lang=\"en\">"))
        }
    }

    @Test func pageLinksToNothing() throws {
        try Samples.inFolder { folder in
            var html = try Self.sample(in: folder).html
            for namespace in [
                "xmlns=\"http://www.w3.org/2000/svg\"", "xmlns:xlink=\"http://www.w3.org/1999/xlink\"",
            ] {
                html = html.replacingOccurrences(of: namespace, with: "")
            }
            #expect(!html.contains("http://") && !html.contains("https://"))
            #expect(!html.contains("@import") && !html.contains("<link"))
        }
    }

    @Test func undrawnFigureSaysHow() throws {
        try Samples.inFolder { folder in
            let drawn = try Gnuplot(searchPath: "").draw(Samples.lines(), in: folder)
            let html = Document(title: "t", blocks: [.figure(drawn)]).html
            #expect(html.contains("Not drawn: gnuplot was not found."))
            #expect(html.contains("install gnuplot, then run <code>gnuplot loss.gp</code> in"))
            #expect(html.contains("<code>loss.dat</code>"))
        }
    }

    @Test func writesWholeFilesOnly() throws {
        try Samples.inFolder { folder in
            let url = folder.appendingPathComponent("deep/report.html")
            let document = Document(title: "t")
            try document.write(to: url)
            try document.write(to: url)
            #expect(try Samples.read(url) == document.html)
            let files = try FileManager.default.contentsOfDirectory(
                atPath: url.deletingLastPathComponent().path)
            #expect(files == ["report.html"])
            #expect(throws: ReportError.self) { try document.write(to: url.appendingPathComponent("x.html")) }
        }
    }

    @Test(arguments: [
        ("a & <b>", "a &amp; &lt;b&gt;"),
        ("*a* **b** `c*d*`", "<em>a</em> <strong>b</strong> <code>c*d*</code>"),
        ("θ* and φ* stay", "θ* and φ* stay"), ("2 * 3 * 4", "2 * 3 * 4"), ("a_b_c", "a_b_c"),
        ("`open", "`open"), ("**open", "**open"), ("*`x`*", "<em><code>x</code></em>"), ("*", "*"),
        ("**", "**"), ("``", "``"), ("\u{0}", "\u{FFFD}"), ("(*a b*).", "(<em>a b</em>)."),
    ])
    func inlineMarks(_ text: String, _ html: String) {
        #expect(InlineText.html(text) == html)
    }

    @Test func foreignDrawingsAreRefused() {
        #expect(InlineSVG.prepare("no drawing", prefix: "f-", label: "") == nil)
        #expect(InlineSVG.prepare("<svg><script>x</script></svg>", prefix: "f-", label: "") == nil)
        let svg = InlineSVG.prepare(
            #"<?xml version="1.0"?><svg width="760" viewBox="0 0 1 1"><a id='x' clip-path="url(#x)"/></svg>"#,
            prefix: "f1-", label: "<t>")
        #expect(svg?.contains(#"<a id='f1-x' clip-path="url(#f1-x)"/>"#) == true)
        #expect(svg?.contains(#"viewBox="0 0 1 1" style="max-width: 760px""#) == true)
        #expect(svg?.contains("<?xml") == false)
    }

    @Test func cellsAreMarkedAndEscaped() {
        let html = Document(title: "t", blocks: [.table(Self.table)]).html
        #expect(html.contains("<abbr title=\"largest &quot;eigenvalue&quot;\">λ_max</abbr>"))
        #expect(html.contains("<td class=\"right best\"><strong>12.3</strong></td>"))
        #expect(html.contains("<td>standard &lt;b&gt;</td>"))
        #expect(html.contains("<td>short</td><td class=\"right\"></td>"))
        #expect(html.contains("<b>Table 1.</b> A <em>table</em>"))
    }
}
