/// A figure as a value: what is shown, not how it is drawn.
public struct Figure: Sendable, Equatable {
    /// What a figure shows.
    public enum Kind: Sendable, Equatable {
        /// Curves and points over one pair of axes.
        case lines(LinePlot)
        /// Two to four line plots in a grid, with one legend.
        case panels([LinePlot])
        /// One or two filled contour maps with one colour scale.
        case surface(SurfacePlot)
        /// Coloured cells for pairs of names.
        case heatMap(HeatMap)
    }

    /// The stem of its files: letters, digits, `-`, `_` and `.`.
    public var name: String
    /// The line above the figure.
    public var title: String
    /// The text below the figure in a report; it may use the inline marks of a paragraph.
    public var caption: String
    /// What it shows.
    public var kind: Kind

    /// A figure from its parts.
    public init(name: String, title: String, caption: String = "", kind: Kind) {
        self.name = name
        self.title = title
        self.caption = caption
        self.kind = kind
    }
}

/// The label, unit and scale of one axis.
public struct Axis: Sendable, Equatable {
    /// What is measured.
    public var label: String
    /// Its unit, shown in brackets after the label.
    public var unit: String?
    /// Whether equal ratios have equal lengths. Values at or below zero then leave gaps.
    public var isLogarithmic: Bool
    /// The shown range; nil fits the data.
    public var range: ClosedRange<Double>?

    /// An axis from its parts.
    public init(
        _ label: String, unit: String? = nil, isLogarithmic: Bool = false, range: ClosedRange<Double>? = nil
    ) {
        self.label = label
        self.unit = unit
        self.isLogarithmic = isLogarithmic
        self.range = range
    }

    /// Label and unit as one text.
    var text: String {
        guard let unit, !unit.isEmpty else { return label }
        return label.isEmpty ? "[\(unit)]" : "\(label) [\(unit)]"
    }

    /// Whether this axis can show `value`.
    func shows(_ value: Double) -> Bool {
        value.isFinite && (!isLogarithmic || value > 0)
    }
}
