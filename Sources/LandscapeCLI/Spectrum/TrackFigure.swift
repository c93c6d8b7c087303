import Report

/// How curvature went through a training.
struct TrackFigure {
    private let lines: [TrackRun.Line]
    private let samples: Int

    init(_ lines: [TrackRun.Line], _ samples: Int) { (self.lines, self.samples) = (lines, samples) }

    private var x: [Double] { lines.map { $0.epoch ?? Double($0.step) } }
    private var axis: Axis { Axis(lines.contains { $0.epoch != nil } ? "epoch" : "checkpoint") }

    private func band(_ interval: (TrackRun.Line) -> SpectrumOutput.Interval?) -> Band? {
        let intervals = lines.map(interval)
        guard intervals.allSatisfy({ $0 != nil }) else { return nil }
        return Band(lower: intervals.map { $0!.lower }, upper: intervals.map { $0!.upper })
    }

    var figure: Figure {
        var sharpness = [
            Series(
                "largest eigenvalue", x: x, y: lines.map { $0.eigenvalues.first ?? .nan },
                style: .lineWithPoints, role: .standard)
        ]
        if lines.contains(where: { $0.stableCurvature != nil }) {
            sharpness.append(
                Series(
                    "largest stable curvature", x: x, y: lines.map { $0.stableCurvature ?? .nan },
                    style: .dashed, role: .reference))
        }
        var panels = [
            LinePlot(
                title: "loss", x: axis, y: Axis("loss", isLogarithmic: true),
                series: [
                    Series("", x: x, y: lines.map(\.loss), style: .lineWithPoints, role: .standard)
                ]),
            LinePlot(
                title: "sharpness", x: axis, y: Axis("λ", isLogarithmic: true), series: sharpness),
        ]
        if lines.contains(where: { $0.trace != nil }) {
            panels += [
                LinePlot(
                    title: "trace", x: axis, y: Axis("trace"),
                    series: [
                        Series(
                            "", x: x, y: lines.map { $0.trace ?? .nan }, band: band(\.traceInterval),
                            style: .lineWithPoints, role: .standard)
                    ]),
                LinePlot(
                    title: "negative curvature", x: axis, y: Axis("share"),
                    series: [
                        Series(
                            "of all eigenvalues", x: x, y: lines.map { $0.negativeMass ?? .nan },
                            band: band(\.negativeMassInterval), style: .lineWithPoints, role: .standard),
                        Series(
                            "of the sum of sizes", x: x, y: lines.map { $0.negativeShare ?? .nan },
                            band: band(\.negativeShareInterval), style: .lineWithPoints, role: .adversarial),
                    ]),
            ]
        }
        return Figure(
            name: "track", title: "Curvature through the training",
            caption: """
                The Hessian on \(samples) samples at every checkpoint: its largest eigenvalue beside the largest curvature at \
                which descent with the learning rate of that time is stable, its trace, the share of eigenvalues that \
                are clearly negative, and the negative part of Σ|λ|, each with its 95 % interval.
                """, kind: .panels(panels))
    }
}
