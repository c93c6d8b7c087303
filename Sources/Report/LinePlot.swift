/// Series over one pair of axes.
public struct LinePlot: Sendable, Equatable {
    /// The line above this plot when it is one of several panels.
    public var title: String
    /// The horizontal axis.
    public var x: Axis
    /// The vertical axis.
    public var y: Axis
    /// What is drawn, first to last.
    public var series: [Series]

    /// A plot from its parts.
    public init(title: String = "", x: Axis, y: Axis, series: [Series]) {
        self.title = title
        self.x = x
        self.y = y
        self.series = series
    }
}

/// One curve or cloud of points. Non-finite values leave gaps.
public struct Series: Sendable, Equatable {
    /// How the points are joined.
    public enum Style: Sendable, Equatable {
        /// A solid line.
        case line
        /// A dashed line.
        case dashed
        /// A solid line with a mark at each point.
        case lineWithPoints
        /// Marks only.
        case points
        /// Thin lines up from the axis, with a mark on top.
        case spikes
    }

    /// Its name in the legend; an empty one is not listed.
    public var label: String
    /// Horizontal positions.
    public var x: [Double]
    /// Vertical positions, as many as `x`.
    public var y: [Double]
    /// The lower and upper edge of the error band, each as long as `x`.
    public var band: Band?
    /// How the points are joined.
    public var style: Style
    /// What its colour stands for.
    public var role: ColourRole

    /// A series from its parts.
    public init(
        _ label: String, x: [Double], y: [Double], band: Band? = nil, style: Style = .line,
        role: ColourRole = .automatic
    ) {
        self.label = label
        self.x = x
        self.y = y
        self.band = band
        self.style = style
        self.role = role
    }
}

/// The edges of an error band.
public struct Band: Sendable, Equatable {
    /// Lower edge.
    public var lower: [Double]
    /// Upper edge.
    public var upper: [Double]

    /// A band between two edges.
    public init(lower: [Double], upper: [Double]) {
        self.lower = lower
        self.upper = upper
    }
}

/// What a colour stands for; the same role has the same colour in every figure.
public enum ColourRole: Sendable, Hashable {
    /// Standard training: blue.
    case standard
    /// Adversarial training: vermilion.
    case adversarial
    /// A reference, a bound or a theory: dark grey.
    case reference
    /// A further meaning of the caller's own, numbered from 0.
    case other(Int)
    /// The next free colour; equal labels in one figure share it.
    case automatic
}
