/// Text for HTML: escaped, with a few inline marks.
enum InlineText {
    /// The text with every character that HTML treats specially written as a reference.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.properties.generalCategory == .control || scalar.value & 0xFFFE == 0xFFFE:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Escapes the text and turns `*emphasis*`, `**strong**` and backquoted code into tags.
    ///
    /// A star opens only before a word and closes only after one, so that `θ* and φ*` stays as it is.
    static func html(_ text: String) -> String {
        html(Array(text)[...], marks: true)
    }

    private static func html(_ text: ArraySlice<Character>, marks: Bool) -> String {
        var result = ""
        var plain = ""
        var index = text.startIndex
        func flush() {
            result += escape(plain)
            plain = ""
        }
        while index < text.endIndex {
            let rest = text[index...]
            if rest.first == "`", let end = rest.dropFirst().firstIndex(of: "`"), end > index + 1 {
                flush()
                result += "<code>\(escape(String(text[(index + 1)..<end])))</code>"
                index = end + 1
            } else if marks, let (tag, width, end) = opening(text, at: index) {
                flush()
                result += "<\(tag)>\(html(text[(index + width)..<end], marks: false))</\(tag)>"
                index = end + width
            } else {
                plain.append(text[index])
                index += 1
            }
        }
        flush()
        return result
    }

    /// The tag, the width of its mark and the position of the closing mark, if one opens at `index`.
    private static func opening(_ text: ArraySlice<Character>, at index: Int) -> (String, Int, Int)? {
        guard text[index] == "*", index == text.startIndex || !isWord(text[index - 1]) else { return nil }
        let width = text[index...].prefix(2).allSatisfy { $0 == "*" } && index + 1 < text.endIndex ? 2 : 1
        let start = index + width
        guard start < text.endIndex, !text[start].isWhitespace, text[start] != "*" else { return nil }
        var end = start + 1
        while end + width <= text.endIndex {
            let isMark = text[end..<(end + width)].allSatisfy { $0 == "*" }
            let after = end + width
            let closes = !text[end - 1].isWhitespace && (after == text.endIndex || !isWord(text[after]))
            if isMark, closes, after == text.endIndex || text[after] != "*" {
                return (width == 2 ? "strong" : "em", width, end)
            }
            end += 1
        }
        return nil
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "*"
    }
}
