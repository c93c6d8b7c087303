/// Colours that stay apart for colour-blind readers and in print.
enum Palette {
    /// Further roles and automatic colours: Okabe-Ito without its yellow, which is too faint for lines.
    private static let free = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7B5EA7", "#8C6D31"]
    /// Automatic colours start with the two strong ones.
    private static let automatic = ["#0072B2", "#D55E00"] + free

    /// Nine stops of viridis, from dark to bright.
    static let viridis = [
        "#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#ADDC30", "#FDE725",
    ]

    /// The fixed colour of a role; nil for automatic.
    static func colour(of role: ColourRole) -> String? {
        switch role {
        case .standard: "#0072B2"
        case .adversarial: "#D55E00"
        case .reference: "#4D4D4D"
        case .other(let number): free[((number % free.count) + free.count) % free.count]
        case .automatic: nil
        }
    }

    /// One colour per series of every plot: fixed roles first, equal automatic labels alike.
    static func colours(for plots: [LinePlot]) -> [[String]] {
        let taken = Set(plots.flatMap(\.series).compactMap { colour(of: $0.role) })
        let open = automatic.filter { !taken.contains($0) }
        let choices = open.isEmpty ? automatic : open
        var byLabel: [String: String] = [:]
        var used = 0
        func next() -> String {
            defer { used += 1 }
            return choices[used % choices.count]
        }
        return plots.map { plot in
            plot.series.map { series in
                if let fixed = colour(of: series.role) { return fixed }
                guard !series.label.isEmpty else { return next() }
                if let known = byLabel[series.label] { return known }
                let fresh = next()
                byLabel[series.label] = fresh
                return fresh
            }
        }
    }
}
