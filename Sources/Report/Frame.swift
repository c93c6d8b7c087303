import Foundation

/// Where the parts of a drawing go: title on top, the legend under it, then the plots.
struct Frame {
    let width: Int
    let height: Int
    /// The labels of the legend; fewer than two need none.
    let labels: [String]

    /// About the width of one character at the base font size, in pixels.
    static let characterWidth = 7.3
    private static let rowHeight = 19

    private var columns: Int {
        let widest = Double(labels.map(\.count).max() ?? 0) * Frame.characterWidth + 56
        return min(max(1, Int(Double(width - 40) / widest)), labels.count)
    }

    private var rows: Int { labels.count < 2 ? 0 : (labels.count + columns - 1) / columns }

    /// Pixels above the plots.
    var top: Int { 44 + rows * Frame.rowHeight + (rows > 0 ? 4 : 0) }

    /// The command that writes the figure's title.
    func title(_ text: String) -> String {
        "set label 1 \(GnuplotText.quoted(text)) at screen 0.5,\(vertical(fromTop: 22)) center noenhanced "
            + "font 'sans-serif,15'"
    }

    /// The command that places the legend.
    var legend: String {
        guard rows > 0 else { return "unset key" }
        let middle = vertical(fromTop: 42 + Double(rows * Frame.rowHeight) / 2)
        return "set key at screen 0.5,\(middle) center center horizontal Left reverse samplen 2 "
            + "maxcols \(columns) maxrows \(rows)"
    }

    /// A horizontal position as a share of the canvas.
    func horizontal(_ pixels: Double) -> String { Frame.share(pixels / Double(width)) }

    /// A vertical position as a share of the canvas; gnuplot counts from the bottom.
    func vertical(fromTop pixels: Double) -> String { Frame.share(1 - pixels / Double(height)) }

    /// A height as a share of the canvas.
    func vertical(_ pixels: Double) -> String { Frame.share(pixels / Double(height)) }

    private static func share(_ value: Double) -> String { String(format: "%.4f", value) }
}
