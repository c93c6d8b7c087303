/// One value for every pair of named rows and columns, shown as coloured cells.
public struct HeatMap: Sendable, Equatable {
    /// What the rows are; the first row is on top.
    public var yLabel: String
    /// What the columns are.
    public var xLabel: String
    /// Names of the rows, top to bottom.
    public var rows: [String]
    /// Names of the columns, left to right.
    public var columns: [String]
    /// The colour scale, which may be logarithmic.
    public var value: Axis
    /// Values, row-major; those that the scale cannot show leave gaps.
    public var cells: [Double]

    /// A heat map from its parts.
    public init(
        xLabel: String, yLabel: String, rows: [String], columns: [String], value: Axis, cells: [Double]
    ) {
        (self.xLabel, self.yLabel, self.rows, self.columns) = (xLabel, yLabel, rows, columns)
        (self.value, self.cells) = (value, cells)
    }
}
