import Analysis
import Foundation
import Report

/// The figures of a spectrum, and the arrays behind them.
struct SpectrumFigures {
    private let options: MeasureCommand
    private let result: SpectrumOutput
    private let solver: SpectrumSolver

    init(_ options: MeasureCommand, _ result: SpectrumOutput, _ solver: SpectrumSolver) {
        (self.options, self.result, self.solver) = (options, result, solver)
    }

    /// Draws what there is to draw into `figures` and writes the arrays.
    func draw(in folder: RunFolder) throws {
        var figures: [Figure] = []
        if let found = solver.eigenvalues, found.history.count > 1 { figures.append(convergence(found)) }
        if options.density, let density = solver.density {
            let curve = density.density(DensityCurveOptions(bandwidth: options.bandwidth))
            let logarithmic = density.logarithmicDensity()
            figures += [linear(curve), cumulative(density, curve)]
            if let figure = self.logarithmic(logarithmic) { figures.append(figure) }
            try write(curve, "density", folder)
            for (name, part) in [("positive", logarithmic.positive), ("negative", logarithmic.negative)] {
                if let part { try write(part, "log-density-\(name)", folder) }
            }
        }
        if let layers = solver.layers {
            figures.append(heatMap(layers))
            let count = layers.layers.count
            try folder.write(layers.norms, [count, count], "block-norms.npy")
        }
        let target = URL(fileURLWithPath: try folder.folder("figures"))
        Console.progress("drawing figures")
        for figure in figures {
            if let note = try Gnuplot().draw(figure, in: target).note {
                try folder.log(note)
                Console.note(note)
            }
        }
        Console.clear()
    }

    /// Columns: place, density, lower and upper edge of its band.
    private func write(_ curve: DensityCurve, _ name: String, _ folder: RunFolder) throws {
        let columns = [curve.grid, curve.density] + (curve.lower.isEmpty ? [] : [curve.lower, curve.upper])
        try folder.write(
            curve.grid.indices.flatMap { row in columns.map { $0[row] } },
            [curve.grid.count, columns.count], "\(name).npy")
    }

    private var title: String { options.curvature.title }

    private func convergence(_ found: SpectrumStage.Eigenvalues) -> Figure {
        let shown = min(found.values.count, 8)
        let largest = found.values.map(abs).max() ?? 1
        func series(_ value: (EigenpairProgress, Int) -> Double?) -> [Series] {
            (0..<shown).map { index in
                let points = found.history.compactMap { step in
                    value(step, index).map { (Double(step.products), $0) }
                }
                return Series("λ\(index + 1)", x: points.map(\.0), y: points.map(\.1))
            }
        }
        return Figure(
            name: "convergence", title: "Convergence of eigenvalues of the \(title)",
            caption: """
                Ritz values and the norms of their residuals beside the largest value, against products with the matrix: an \
                eigenvalue lies within its residual of every Ritz value. A residual that jumps belongs to a search that began \
                again beside what was found.
                """,
            kind: .panels([
                LinePlot(
                    title: "Ritz values", x: Axis("products"), y: Axis("eigenvalue"),
                    series: series { $0.values.indices.contains($1) ? $0.values[$1] : nil }),
                LinePlot(
                    title: "residuals", x: Axis("products"), y: Axis("residual / |λ₁|", isLogarithmic: true),
                    series: series { step, index in
                        guard step.bounds.indices.contains(index) else { return nil }
                        // The recurrence's own bound goes on falling where products have no more digits.
                        let bound = step.bounds[index] / max(largest, .leastNormalMagnitude)
                        return max(bound, options.common.precision.epsilon)
                    }),
            ]))
    }

    private func band(_ curve: DensityCurve, floor: Double, upTo last: Double?) -> Band? {
        func edge(_ values: [Double]) -> [Double] {
            zip(curve.grid, values).map { $0 <= last ?? .infinity ? max(floor, $1) : .nan }
        }
        return curve.lower.isEmpty ? nil : Band(lower: edge(curve.lower), upper: edge(curve.upper))
    }

    /// A curve and its spikes; a logarithmic axis has no zero, so points of no weight are left out.
    private func series(
        _ curve: DensityCurve, _ floor: Double, _ label: String, _ role: ColourRole, upTo last: Double? = nil
    ) -> [Series] {
        let width = curve.bandwidth.value * (2 * Double.pi).squareRoot()
        return [
            Series(
                label, x: curve.grid,
                y: zip(curve.grid, curve.density).map { $1 > floor && $0 <= last ?? .infinity ? $1 : .nan },
                band: band(curve, floor: floor, upTo: last), role: role),
            Series(
                "eigenvalues apart", x: curve.points.map(\.value),
                y: curve.points.map { max(floor, $0.mass / width) }, style: .spikes, role: .adversarial),
        ]
    }

    private func linear(_ curve: DensityCurve) -> Figure {
        let peak = curve.density.max() ?? 1
        let spikes = curve.points.map { $0.mass / curve.bandwidth.value }
        let floor = max(peak * 1e-8, min(peak * 1e-3, (spikes.min() ?? peak) * 0.05))
        return Figure(
            name: "density", title: "Spectral density of the \(title)",
            caption: """
                Lanczos quadrature with \(options.probes) probes of \(result.density?.steps ?? 0) steps, smoothed to \
                \(formatSignificant(curve.bandwidth.value, digits: 2)); the band holds the mean over all probes with 95 %. \
                Eigenvalues that stand apart from the bulk are spikes, as high as their mass would be at that width.
                """,
            kind: .lines(
                LinePlot(
                    x: Axis("eigenvalue"),
                    y: Axis("density", isLogarithmic: true, range: floor...max(peak * 3, floor * 10)),
                    series: series(curve, floor, "bulk", .standard))))
    }

    private func logarithmic(_ density: LogarithmicDensity) -> Figure? {
        let share = 1 / Double(max(1, result.dimension))
        let panels = [("negative", density.negative), ("positive", density.positive)].compactMap {
            name, curve -> LinePlot? in
            guard let curve, curve.density.contains(where: { $0 > 0 }) else { return nil }
            let peak = curve.density.max() ?? 1
            let floor = min(peak * 1e-4, 0.1 * share / curve.bandwidth.value)
            let sign: Double = name == "positive" ? 1 : -1, sizes = reach(sign)
            // Smoothing reaches beyond the last node, where there is nothing.
            let last = (solver.density?.nodes ?? []).map { sign * $0 }.max().map { log10(max($0, 1e-300)) }
            return LinePlot(
                title: "\(name) eigenvalues", x: Axis("log₁₀ |λ|", range: sizes),
                y: Axis("share per decade", isLogarithmic: true, range: floor...peak * 3),
                series: series(curve, floor, "bulk", .standard, upTo: last))
        }
        let widths = [density.negative, density.positive].compactMap { $0?.bandwidth.value }.map {
            formatSignificant($0, digits: 2)
        }
        guard !panels.isEmpty else { return nil }
        return Figure(
            name: "log-density", title: "Spectral density of the \(title) by size",
            caption:
                "Shares of eigenvalues per decade of their size; a share of \(formatSignificant(density.massAtZero, digits: 2)) is zero up to rounding. Smoothed to \(widths.joined(separator: " and ")) decades.",
            kind: panels.count > 1 ? .panels(panels) : .lines(panels[0]))
    }

    /// A bit more than the sizes of the eigenvalues of one sign, in decades: smoothing reaches beyond them.
    private func reach(_ sign: Double) -> ClosedRange<Double>? {
        let sizes = (result.density?.nodes ?? []).map { sign * $0 }.filter { $0 > 0 }.map { log10($0) }
        guard let low = sizes.min(), let high = sizes.max() else { return nil }
        return (max(low, high - 12) - 0.3)...(high + 0.3)
    }

    private func cumulative(_ density: SpectralDensity, _ curve: DensityCurve) -> Figure {
        let ends = [curve.grid[0], curve.grid[curve.grid.count - 1]] + curve.points.map(\.value)
        let (low, high) = (ends.min() ?? 0, (ends.max() ?? 1) + 3 * curve.bandwidth.value)
        let places = (0...800).map { low + (high - low) * Double($0) / 800 }
        let function = density.distribution(at: places, bandwidth: curve.bandwidth.value)
        return Figure(
            name: "distribution", title: "Share of eigenvalues below each value",
            caption: "The distribution function, with a band that holds the mean over all probes with 95 %.",
            kind: .lines(
                LinePlot(
                    x: Axis("eigenvalue"), y: Axis("share below"),
                    series: [
                        Series(
                            "", x: function.places, y: function.shares,
                            band: function.lower.isEmpty
                                ? nil : Band(lower: function.lower, upper: function.upper), role: .standard)
                    ])))
    }

    private func heatMap(_ layers: SpectrumStage.Layers) -> Figure {
        let names = layers.layers.map(\.layer)
        return Figure(
            name: "layers", title: "Blocks of the \(title)",
            caption: """
                The Frobenius norm of the block between every pair of layers, from \(options.probes) probes of each layer. A \
                block-diagonal matrix would be dark outside its diagonal.
                """,
            kind: .heatMap(
                HeatMap(
                    xLabel: "layer", yLabel: "layer", rows: names, columns: names,
                    value: Axis("norm", isLogarithmic: true), cells: layers.norms)))
    }
}
