/// The texts of a figure's data file and script.
struct FigureFiles {
    /// What `<name>.dat` holds.
    let data: String
    /// What `<name>.gp` holds.
    let script: String
    /// Why there is nothing to draw, if so.
    let nothing: String?
}

extension Figure {
    /// The texts of its files.
    var files: FigureFiles {
        switch kind {
        case .lines(let plot): lineFiles(plot)
        case .panels(let plots): panelFiles(plots)
        case .surface(let surface): surfaceFiles(surface)
        case .heatMap(let map): heatMapFiles(map)
        }
    }
}
