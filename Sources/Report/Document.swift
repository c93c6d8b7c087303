/// A report as a value: what it says, not how it looks.
public struct Document: Sendable {
    /// One piece of a report.
    public indirect enum Block: Sendable {
        /// A heading of level 2 to 4; the document's title is level 1.
        case heading(String, level: Int = 2)
        /// Plain text with `*emphasis*`, `**strong**` and code between backquotes.
        case paragraph(String)
        /// Names and their values.
        case facts([Fact])
        /// A numbered table.
        case table(Table)
        /// A numbered figure, with its drawing in the page or how to make it.
        case figure(DrawnFigure)
        /// Blocks that unfold under a summary.
        case details(summary: String, blocks: [Block])
        /// Text shown as it is, such as a command or a configuration.
        case code(String)
    }

    /// The name of the report.
    public var title: String
    /// The line below it.
    public var subtitle: String
    /// The language of its text, as an IETF tag.
    public var language: String
    /// What it says, first to last.
    public var blocks: [Block]

    /// A report from its parts.
    public init(title: String, subtitle: String = "", language: String = "en", blocks: [Block] = []) {
        self.title = title
        self.subtitle = subtitle
        self.language = language
        self.blocks = blocks
    }
}

/// A name and its value.
public struct Fact: Sendable, Equatable {
    /// What is told.
    public var name: String
    /// Its value, with the inline marks of a paragraph.
    public var value: String

    /// A fact from its parts.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
