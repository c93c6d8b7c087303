import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Whether a text is well-formed XML, and the ids it defines and uses.
final class XMLBalance: NSObject, XMLParserDelegate {
    private(set) var ids: [String] = []
    private(set) var references: [String] = []
    private(set) var elements: [String] = []

    /// Nil when `text` is well-formed, otherwise the parser's complaint.
    static func check(_ text: String) throws -> String? {
        let balance = XMLBalance()
        return balance.parse(text)
    }

    func parse(_ text: String) -> String? {
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        guard !parser.parse() else { return nil }
        return "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "not well-formed")"
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append(name)
        if let id = attributes["id"] { ids.append(id) }
        for (key, value) in attributes {
            if key.hasSuffix("href"), value.hasPrefix("#") { references.append(String(value.dropFirst())) }
            if let start = value.range(of: "url(#"), let end = value.range(of: ")") {
                references.append(String(value[start.upperBound..<end.lowerBound]))
            }
        }
    }
}
