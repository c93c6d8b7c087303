/// Values over a rectangular grid: one or two maps with one colour scale.
public struct SurfacePlot: Sendable, Equatable {
    /// The horizontal axis of every panel; surfaces have linear axes.
    public var xAxis: Axis
    /// The vertical axis of every panel.
    public var yAxis: Axis
    /// The colour scale, which may be logarithmic.
    public var value: Axis
    /// Grid positions along x, increasing in equal steps.
    public var x: [Double]
    /// Grid positions along y, increasing in equal steps.
    public var y: [Double]
    /// One or two maps.
    public var panels: [SurfacePanel]

    /// A surface plot from its parts.
    public init(
        xAxis: Axis, yAxis: Axis, value: Axis, x: [Double], y: [Double], panels: [SurfacePanel]
    ) {
        self.xAxis = xAxis
        self.yAxis = yAxis
        self.value = value
        self.x = x
        self.y = y
        self.panels = panels
    }
}

/// One map of a surface plot.
public struct SurfacePanel: Sendable, Equatable {
    /// The line above the map.
    public var title: String
    /// Values, row-major with one row per grid position along y: `z[j * x.count + i]`.
    public var z: [Double]
    /// A path drawn over the map, such as a training trajectory; a single pair is drawn as a mark.
    public var path: SurfacePath?

    /// A map from its parts.
    public init(title: String = "", z: [Double], path: SurfacePath? = nil) {
        self.title = title
        self.z = z
        self.path = path
    }
}

/// Positions in the plane of a surface plot.
public struct SurfacePath: Sendable, Equatable {
    /// Horizontal positions.
    public var x: [Double]
    /// Vertical positions, as many as `x`.
    public var y: [Double]

    /// A path from its positions.
    public init(x: [Double], y: [Double]) {
        self.x = x
        self.y = y
    }
}
