import Foundation

extension Document {
    /// The report as one self-contained HTML page.
    public var html: String {
        var writer = HTMLWriter()
        let body = blocks.map { writer.render($0) }.joined(separator: "\n")
        let under = subtitle.isEmpty ? "" : "\n<p class=\"subtitle\">\(InlineText.html(subtitle))</p>"
        return """
            <!DOCTYPE html>
            <html lang="\(InlineText.escape(language))">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>\(InlineText.escape(title))</title>
            <style>
            \(styleSheet)
            </style>
            </head>
            <body>
            <main>
            <header>
            <h1>\(InlineText.escape(title))</h1>\(under)
            </header>
            \(body)
            </main>
            </body>
            </html>

            """
    }

    /// Writes the page to `url` so that it is complete or as it was before.
    public func write(to url: URL) throws(ReportError) {
        try AtomicFile.makeFolder(url.deletingLastPathComponent())
        try AtomicFile.write(html, to: url)
    }
}

/// Renders blocks in order, counting figures and tables.
struct HTMLWriter {
    private var figures = 0
    private var tables = 0

    mutating func render(_ block: Document.Block) -> String {
        switch block {
        case .heading(let text, let level):
            let tag = "h\(min(max(level, 2), 4))"
            return "<\(tag)>\(InlineText.html(text))</\(tag)>"
        case .paragraph(let text):
            return "<p>\(InlineText.html(text))</p>"
        case .facts(let facts):
            let rows = facts.map {
                "<div><dt>\(InlineText.escape($0.name))</dt><dd>\(InlineText.html($0.value))</dd></div>"
            }
            return facts.isEmpty ? "" : "<dl>\n\(rows.joined(separator: "\n"))\n</dl>"
        case .table(let table):
            return render(table)
        case .figure(let figure):
            return render(figure)
        case .details(let summary, let blocks):
            let inner = blocks.map { render($0) }.joined(separator: "\n")
            return "<details>\n<summary>\(InlineText.html(summary))</summary>\n\(inner)\n</details>"
        case .code(let text):
            return "<pre><code>\(InlineText.escape(text))</code></pre>"
        }
    }

    private mutating func render(_ table: Table) -> String {
        tables += 1
        func sided(_ index: Int) -> String {
            switch table.columns[index].alignment {
            case .left: ""
            case .right: "right"
            case .centre: "centre"
            }
        }
        func attribute(_ classes: [String]) -> String {
            let names = classes.filter { !$0.isEmpty }.joined(separator: " ")
            return names.isEmpty ? "" : " class=\"\(names)\""
        }
        let head = table.columns.enumerated().map { index, column in
            let title = InlineText.escape(column.title)
            let text =
                column.tooltip.map { "<abbr title=\"\(InlineText.escape($0))\">\(title)</abbr>" } ?? title
            return "<th scope=\"col\"\(attribute([sided(index)]))>\(text)</th>"
        }.joined()
        let rows = table.rows.map { row in
            let cells = table.columns.indices.map { index in
                let cell = table.cell(row, index)
                let text = InlineText.escape(cell.text)
                let classes = attribute([sided(index), cell.isBest ? "best" : ""])
                return "<td\(classes)>\(cell.isBest ? "<strong>\(text)</strong>" : text)</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        let caption = table.caption.isEmpty ? "" : " \(InlineText.html(table.caption))"
        return """
            <div class="table"><table>
            <caption><b>Table \(tables).</b>\(caption)</caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }

    private mutating func render(_ drawn: DrawnFigure) -> String {
        figures += 1
        let number = figures
        let title = drawn.figure.title
        let card: String
        if let url = drawn.svg, let svg = try? String(contentsOf: url, encoding: .utf8),
            let inline = InlineSVG.prepare(svg, prefix: "figure\(number)-", label: title)
        {
            card = "<div class=\"card\">\n\(inline)\n</div>"
        } else {
            let reason = drawn.reason ?? "its drawing cannot be read"
            let remedy = drawn.remedy.map { " To draw it: \(InlineText.html($0))." } ?? ""
            card = """
                <div class="card missing" role="note">
                <p><strong>\(InlineText.escape(title))</strong></p>
                <p>Not drawn: \(InlineText.escape(reason)).\(remedy)</p>
                <p>Its data are in <code>\(InlineText.escape(drawn.figure.name)).dat</code>.</p>
                </div>
                """
        }
        let caption =
            drawn.figure.caption.isEmpty ? InlineText.escape(title) : InlineText.html(drawn.figure.caption)
        return """
            <figure id="figure\(number)">
            \(card)
            <figcaption><b>Figure \(number).</b> \(caption)</figcaption>
            </figure>
            """
    }
}
