/// A table as a value, shown in a terminal or in a report.
public struct Table: Sendable, Equatable {
    /// The text above the table.
    public var caption: String
    /// The columns, left to right.
    public var columns: [Column]
    /// The rows; missing cells are empty, those beyond the last column are left out.
    public var rows: [[Cell]]

    /// A table from its parts.
    public init(caption: String = "", columns: [Column], rows: [[Cell]] = []) {
        self.caption = caption
        self.columns = columns
        self.rows = rows
    }

    /// The cell at `column` of `row`, empty when the row is short.
    func cell(_ row: [Cell], _ column: Int) -> Cell {
        column < row.count ? row[column] : Cell("")
    }
}

/// The head of a column.
public struct Column: Sendable, Equatable, ExpressibleByStringLiteral {
    /// To which side cells are aligned.
    public enum Alignment: Sendable, Equatable {
        /// For words.
        case left
        /// For numbers.
        case right
        /// For marks.
        case centre
    }

    /// Its title.
    public var title: String
    /// What it means, shown on hovering.
    public var tooltip: String?
    /// To which side its cells are aligned.
    public var alignment: Alignment

    /// A column from its parts.
    public init(_ title: String, tooltip: String? = nil, alignment: Alignment = .left) {
        self.title = title
        self.tooltip = tooltip
        self.alignment = alignment
    }

    /// A left-aligned column.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

/// One cell of a table.
public struct Cell: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// What it says.
    public var text: String
    /// Whether it is marked as the best of its column.
    public var isBest: Bool

    /// A cell from its parts.
    public init(_ text: String, isBest: Bool = false) {
        self.text = text
        self.isBest = isBest
    }

    /// A plain cell.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}
