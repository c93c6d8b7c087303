import Analysis
import Report

/// The figures of a regression.
struct RegressionFigures {
    private let result: RegressionResult

    init(_ result: RegressionResult) { self.result = result }

    private var axis: Axis {
        Axis(result.learningRate == nil ? "time" : "steps", isLogarithmic: true)
    }

    /// Loss and accuracy over time. Time 0 has no place on a logarithmic axis; the limit is a dashed line.
    var flow: Figure {
        var panels = [panel("loss", Axis("mse", isLogarithmic: true, range: lossRange), \.loss)]
        if result.trainCurve.contains(where: { $0.accuracy != nil })
            || result.testCurve.contains(where: { $0.accuracy != nil })
        {
            panels.append(panel("accuracy", Axis("accuracy"), \.accuracy))
        }
        let title =
            result.learningRate == nil
            ? "Gradient flow of the linearised network" : "Gradient descent on the linearised network"
        return Figure(
            name: "flow", title: title, kind: panels.count > 1 ? .panels(panels) : .lines(panels[0]))
    }

    /// Four decades at most: training losses fall without end, and would hide all else.
    private var lossRange: ClosedRange<Double>? {
        let losses = (result.trainCurve + result.testCurve).compactMap(\.loss).filter {
            $0.isFinite && $0 > 0
        }
        guard let top = losses.max(), let low = losses.min() else { return nil }
        // Where descent diverges, the beginning of that is enough.
        let high = min(top, 1e4 * max(result.start.loss ?? top, low))
        guard low < high * 1e-4 || high < top else { return nil }
        return max(low / 2, high * (high < top ? 1e-8 : 1e-4))...high * 1.5
    }

    private func panel(_ title: String, _ y: Axis, _ part: (RegressionScore) -> Double?) -> LinePlot {
        let inner = result.times.indices.filter { result.times[$0] > 0 && result.times[$0].isFinite }
        let ends = inner.first.flatMap { first in
            inner.last.map { [result.times[first], result.times[$0]] }
        }
        var series: [Series] = []
        let curves = [
            ("training", result.trainCurve, ColourRole.standard),
            ("held-out", result.testCurve, ColourRole.adversarial),
        ]
        for (label, curve, role) in curves where curve.contains(where: { part($0) != nil }) {
            let points = inner.filter { part(curve[$0]) != nil }
            series.append(
                Series(
                    label, x: points.map { result.times[$0] }, y: points.map { part(curve[$0]) ?? .nan },
                    style: points.count > 60 ? .line : .lineWithPoints, role: role))
            if let last = result.times.last, last.isInfinite, let ends,
                let limit = part(curve[curve.count - 1]),
                y.range?.contains(limit) ?? true
            {
                series.append(
                    Series("\(label), limit", x: ends, y: [limit, limit], style: .dashed, role: role))
            }
        }
        return LinePlot(title: title, x: axis, y: y, series: series)
    }

    /// Eigenvalues, and how much of the targets the leading eigenvectors hold.
    var modes: Figure {
        var eigenvalues: [Series] = [], shares: [Series] = []
        let spectra = result.spectra
        if let first = spectra.first {
            let x = (1...max(1, first.size)).map(Double.init)
            // Of several systems, the mean of the i-th eigenvalues.
            let mean = (0..<first.size).map { index in
                spectra.reduce(0) { $0 + max(0, $1.values[index]) } / Double(spectra.count)
            }
            eigenvalues = [
                Series("eigenvalue", x: x, y: mean, role: .standard),
                Series(
                    "rounding bound", x: [1, Double(first.size)], y: [first.cutoff, first.cutoff],
                    style: .dashed, role: .reference),
            ]
            if let found = result.shares {
                let outputs = found.perOutput.filter { $0.allSatisfy(\.isFinite) }
                let band =
                    outputs.count < 2
                    ? nil
                    : Band(
                        lower: x.indices.map { index in outputs.map { $0[index] }.min() ?? 0 },
                        upper: x.indices.map { index in outputs.map { $0[index] }.max() ?? 1 })
                shares = [
                    Series(
                        band == nil ? "targets" : "targets, band over outputs", x: x, y: found.total,
                        band: band, role: .other(0)),
                    Series(
                        "share of all modes", x: x, y: x.map { $0 / Double(first.size) }, style: .dashed,
                        role: .reference),
                ]
            }
        }
        let modes = Axis("mode", isLogarithmic: true)
        return Figure(
            name: "modes", title: "Eigenmodes of the kernel and the targets in them",
            kind: .panels([
                LinePlot(
                    title: "spectrum", x: modes, y: Axis("eigenvalue", isLogarithmic: true),
                    series: eigenvalues),
                LinePlot(
                    title: "targets in the leading modes", x: modes,
                    y: Axis("share", range: 0...1), series: shares),
            ]))
    }
}
