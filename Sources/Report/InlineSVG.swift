import Foundation

/// Makes a drawing of its own a part of a page.
enum InlineSVG {
    /// The `<svg>` element with ids that start with `prefix`, sized by the page, named by `label`.
    ///
    /// Nil for a text that is no SVG or holds a script.
    static func prepare(_ text: String, prefix: String, label: String) -> String? {
        guard let start = text.range(of: "<svg"), let end = text.range(of: "</svg>", options: .backwards),
            let tagEnd = text[start.upperBound...].firstIndex(of: ">"), tagEnd < end.lowerBound,
            text.range(of: "<script", options: .caseInsensitive) == nil
        else { return nil }
        let opening = String(text[start.upperBound..<tagEnd])
        var body = String(text[text.index(after: tagEnd)..<end.lowerBound])
        body = replacing(#"<(title|desc)>[^<]*</(title|desc)>\s*"#, in: body, with: "")
        let safe = NSRegularExpression.escapedTemplate(for: prefix)
        body = replacing(#"(\sid\s*=\s*["'])"#, in: body, with: "$1\(safe)")
        body = replacing(#"(href\s*=\s*["']#)"#, in: body, with: "$1\(safe)")
        body = replacing(#"(url\(\s*["']?#)"#, in: body, with: "$1\(safe)")

        let name = InlineText.escape(label)
        // A fixed size would not shrink on a narrow screen; the view box keeps the proportions.
        let box = attribute("viewBox", of: opening).map { " viewBox=\"\(InlineText.escape($0))\"" } ?? ""
        let wide = attribute("width", of: opening).flatMap { Double($0.filter { $0.isNumber || $0 == "." }) }
        let style = wide.map { " style=\"max-width: \(Int($0))px\"" } ?? ""
        return "<svg xmlns=\"http://www.w3.org/2000/svg\""
            + " xmlns:xlink=\"http://www.w3.org/1999/xlink\"\(box)\(style)"
            + " role=\"img\" aria-label=\"\(name)\">\n<title>\(name)</title>"
            + body.trimmingCharacters(in: .whitespacesAndNewlines) + "\n</svg>"
    }

    private static func attribute(_ name: String, of tag: String) -> String? {
        guard let expression = try? NSRegularExpression(pattern: "\\s\(name)\\s*=\\s*[\"']([^\"']*)[\"']"),
            let match = expression.firstMatch(in: tag, range: NSRange(tag.startIndex..., in: tag)),
            let range = Range(match.range(at: 1), in: tag)
        else { return nil }
        return String(tag[range])
    }

    private static func replacing(_ pattern: String, in text: String, with template: String) -> String {
        text.replacingOccurrences(of: pattern, with: template, options: .regularExpression)
    }
}
