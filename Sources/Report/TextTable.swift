extension Table {
    /// The table as aligned lines for a terminal, best cells followed by `*`; ends with a newline.
    public var text: String {
        let grid = rows.map { row in
            columns.indices.map { index in
                let cell = cell(row, index)
                // A blank keeps the digits of the other cells aligned with a marked one.
                let mark = isMarked(index) ? (cell.isBest ? "*" : " ") : ""
                return Table.line(cell.text) + mark
            }
        }
        let titles = columns.indices.map { Table.line(columns[$0].title) + (isMarked($0) ? " " : "") }
        let widths = columns.indices.map { index in
            grid.reduce(titles[index].count) { max($0, $1[index].count) }
        }
        func join(_ cells: [String]) -> String {
            let padded = cells.indices.map { Table.pad(cells[$0], to: widths[$0], columns[$0].alignment) }
            let joined = padded.joined(separator: "  ")
            return String(joined.reversed().drop { $0 == " " }.reversed())
        }
        var lines = caption.isEmpty ? [] : [Table.line(caption)]
        lines.append(join(titles))
        lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
        lines += grid.map(join)
        return lines.joined(separator: "\n") + "\n"
    }

    private func isMarked(_ column: Int) -> Bool {
        rows.contains { column < $0.count && $0[column].isBest }
    }

    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
    }

    private static func pad(_ text: String, to width: Int, _ alignment: Column.Alignment) -> String {
        let room = max(0, width - text.count)
        switch alignment {
        case .left: return text + String(repeating: " ", count: room)
        case .right: return String(repeating: " ", count: room) + text
        case .centre:
            let before = room / 2
            return String(repeating: " ", count: before) + text + String(repeating: " ", count: room - before)
        }
    }
}
