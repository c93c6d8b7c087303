import Foundation
import Report

/// Small figures of every kind.
enum Samples {
    static let awkward = "λ_max {of} ε@1 \"q\" it's a^b \\n & <x>"

    static func lines(name: String = "loss", isLogarithmic: Bool = false) -> Figure {
        let x = [0.0, 1, 2, 3]
        let plot = LinePlot(
            x: Axis("step", unit: "epochs"), y: Axis("loss", isLogarithmic: isLogarithmic),
            series: [
                Series(
                    "standard", x: x, y: [4, 2, 1, 0.1],
                    band: Band(lower: [3, 1, 0, -1], upper: [5, 3, 2, 1]), role: .standard),
                Series("adversarial", x: x, y: [5, .nan, 3, .infinity], role: .adversarial),
                Series("theory", x: x, y: [4, 3, 2, 1], style: .dashed, role: .reference),
                Series("empty", x: [], y: [], style: .points),
            ])
        return Figure(name: name, title: awkward, caption: "A *caption*.", kind: .lines(plot))
    }

    static func panels(_ count: Int = 2, name: String = "panels") -> Figure {
        let plots = (0..<count).map { number in
            LinePlot(
                title: "panel_\(number)", x: Axis("x"), y: Axis("y"),
                series: number == 1
                    ? [Series("other", x: [0, 1], y: [1, 0]), Series("same", x: [0, 1], y: [2, 0])]
                    : [Series("same", x: [0, 1], y: [0, 1]), Series("first", x: [0, 1], y: [0, 2])])
        }
        return Figure(name: name, title: "Panels", kind: .panels(plots))
    }

    static func heatMap(_ n: Int, isLogarithmic: Bool = false, cell: (Int, Int) -> Double) -> Figure {
        let names = (0..<n).map { "layer \($0) \"it's\" a_b" }
        return Figure(
            name: "heat\(n)", title: awkward,
            kind: .heatMap(
                HeatMap(
                    xLabel: "column", yLabel: "row", rows: names, columns: Array(names.dropLast()),
                    value: Axis("norm", isLogarithmic: isLogarithmic),
                    cells: (0..<n).flatMap { row in (0..<n - 1).map { cell(row, $0) } })))
    }

    static func surface(
        name: String = "surface", isLogarithmic: Bool = false, z: (Double, Double) -> Double
    ) -> Figure {
        let grid = (0..<9).map { Double($0) / 4 - 1 }
        let values = grid.flatMap { y in grid.map { x in z(x, y) } }
        let plot = SurfacePlot(
            xAxis: Axis("α"), yAxis: Axis("β"), value: Axis("loss", isLogarithmic: isLogarithmic), x: grid,
            y: grid,
            panels: [
                SurfacePanel(title: "a_b", z: values, path: SurfacePath(x: [0], y: [0])),
                SurfacePanel(z: values, path: SurfacePath(x: [0, 0.5], y: [0, 0.5])),
            ])
        return Figure(name: name, title: awkward, kind: .surface(plot))
    }

    /// Runs `body` with a folder of its own.
    static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("report-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    static func read(_ url: URL) throws -> String {
        try String(contentsOf: url, encoding: .utf8)
    }
}
