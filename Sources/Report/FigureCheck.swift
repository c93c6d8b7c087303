extension Figure {
    /// Throws when the figure's name or the lengths of its parts make no figure.
    func check() throws(ReportError) {
        if let reason = nameFault ?? contentFault {
            throw ReportError.badFigure(name: name, reason: reason)
        }
    }

    private var nameFault: String? {
        let allowed = name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.".contains(Character($0)))
        }
        if name.isEmpty || name.hasPrefix(".") || name.hasPrefix("-") || !allowed {
            return "a name is made of ASCII letters, digits, '-', '_' and '.', and starts with none of '-.'"
        }
        return nil
    }

    private var contentFault: String? {
        switch kind {
        case .lines(let plot): return Figure.fault(plot)
        case .panels(let plots):
            guard (2...4).contains(plots.count) else { return "\(plots.count) panels, expected 2 to 4" }
            return plots.lazy.compactMap(Figure.fault).first
        case .surface(let surface): return Figure.fault(surface)
        case .heatMap(let map):
            let expected = map.rows.count * map.columns.count
            return map.cells.count == expected
                ? Figure.fault(map.value) : "\(map.cells.count) cells, expected \(expected)"
        }
    }

    private static func fault(_ plot: LinePlot) -> String? {
        if let reason = fault(plot.x) ?? fault(plot.y) { return reason }
        for series in plot.series {
            let counts = [
                series.y.count, series.band?.lower.count ?? series.x.count,
                series.band?.upper.count ?? series.x.count,
            ]
            if counts.contains(where: { $0 != series.x.count }) {
                return
                    "series '\(series.label)' has \(series.x.count) x values and \(series.y.count) y values"
                    + (series.band.map { ", band \($0.lower.count) and \($0.upper.count)" } ?? "")
            }
        }
        return nil
    }

    private static func fault(_ surface: SurfacePlot) -> String? {
        if surface.xAxis.isLogarithmic || surface.yAxis.isLogarithmic {
            return "the axes of a surface are linear; only its colour scale can be logarithmic"
        }
        if let reason = fault(surface.xAxis) ?? fault(surface.yAxis) ?? fault(surface.value) { return reason }
        guard (1...2).contains(surface.panels.count) else {
            return "\(surface.panels.count) surface panels, expected 1 or 2"
        }
        for (axis, grid) in [("x", surface.x), ("y", surface.y)] {
            let increasing = zip(grid, grid.dropFirst()).allSatisfy { $0 < $1 }
            if !grid.allSatisfy(\.isFinite) || !increasing {
                return "the \(axis) grid must be finite and strictly increasing"
            }
            if let first = grid.first, let last = grid.last, grid.count > 2 {
                let step = (last - first) / Double(grid.count - 1)
                let even = zip(grid, grid.dropFirst()).allSatisfy { abs($1 - $0 - step) <= 1e-3 * step }
                if !even { return "the \(axis) grid must be evenly spaced" }
            }
        }
        let expected = surface.x.count * surface.y.count
        for panel in surface.panels {
            if panel.z.count != expected {
                return "panel '\(panel.title)' has \(panel.z.count) values, expected "
                    + "\(surface.x.count) x \(surface.y.count) = \(expected)"
            }
            if let path = panel.path, path.x.count != path.y.count {
                return "the path in panel '\(panel.title)' has \(path.x.count) x and \(path.y.count) y values"
            }
        }
        return nil
    }

    private static func fault(_ axis: Axis) -> String? {
        guard let range = axis.range else { return nil }
        let shown = axis.shows(range.lowerBound) && axis.shows(range.upperBound)
        return shown && range.lowerBound < range.upperBound
            ? nil : "axis '\(axis.text)' cannot show the range \(range.lowerBound) to \(range.upperBound)"
    }
}
