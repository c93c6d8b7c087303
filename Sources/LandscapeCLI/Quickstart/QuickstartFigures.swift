import Analysis
import Report

/// The figures of the quickstart's report.
struct QuickstartFigures {
    let standard: QuickstartResults, adversarial: QuickstartResults
    let settings: QuickstartSettings

    private var both: [(label: String, role: ColourRole, results: QuickstartResults)] {
        [("standard", .standard, standard), ("adversarial", .adversarial, adversarial)]
    }

    var all: [Figure] { [training, kernel, density, lines, planes] }

    private var training: Figure {
        let loss = both.map { item in
            Series(
                "\(item.label) training", x: item.results.metrics.perEpoch.map(\.epoch),
                y: item.results.metrics.perEpoch.map(\.loss), role: item.role)
        }
        let accuracy = both.map { item in
            let lines = item.results.metrics.filter { $0.testAccuracy != nil }
            return Series(
                "\(item.label) training", x: lines.map(\.epoch), y: lines.map { $0.testAccuracy! },
                role: item.role)
        }
        return Figure(
            name: "training", title: "Training",
            caption: """
                Left: the training loss, a mean over each epoch, on the inputs that each network is trained on: clean \
                ones for the standard network, attacked ones for the other. Right: accuracy on clean held-out digits.
                """,
            kind: .panels([
                LinePlot(
                    title: "training loss", x: Axis("epoch"), y: Axis("cross-entropy", isLogarithmic: true),
                    series: loss),
                LinePlot(title: "test accuracy", x: Axis("epoch"), y: Axis("accuracy"), series: accuracy),
            ]))
    }

    private var kernel: Figure {
        let distance = both.map {
            Series(
                $0.label, x: $0.results.kernels.times, y: $0.results.kernels.distances,
                style: .lineWithPoints,
                role: $0.role)
        }
        let velocity = both.map { item -> Series in
            let times = item.results.kernels.times
            // Drawn where each interval ends, so that the first one fits a logarithmic axis.
            return Series(
                item.label, x: Array(times.dropFirst()), y: item.results.kernels.velocities,
                style: .lineWithPoints, role: item.role)
        }
        return Figure(
            name: "kernel", title: "The neural tangent kernel through training",
            caption: """
                Distance 1 − cos of the full empirical kernel (\(settings.kernelSamples) held-out digits × 10 outputs) \
                from the one at initialisation, and its velocity: the distance between neighbouring checkpoints per \
                epoch. A kernel that stood still would stay at zero.
                """,
            kind: .panels([
                LinePlot(
                    title: "distance from the start", x: Axis("epoch"), y: Axis("1 − cos"), series: distance),
                LinePlot(
                    title: "velocity", x: Axis("epoch", isLogarithmic: true),
                    y: Axis("distance per epoch", isLogarithmic: true), series: velocity),
            ]))
    }

    private var density: Figure {
        let nodes = both.flatMap(\.results.spectrum.nodes)
        let (low, high) = (nodes.min() ?? 0, nodes.max() ?? 1)
        let width = max(high - low, 1e-12) / 150
        let range = (low - 6 * width)...(high + 6 * width)
        let options = DensityCurveOptions(bandwidth: width)
        let series = both.map { item -> Series in
            let curve = item.results.density.density(over: range, options)
            // A logarithmic axis has no zero: points of no weight are left out.
            let floor = 1e-7
            return Series(
                item.label, x: curve.grid, y: curve.density.map { $0 > floor ? $0 : .nan },
                band: Band(
                    lower: curve.lower.map { max(floor, $0) }, upper: curve.upper.map { max(floor, $0) }),
                role: item.role)
        }
        return Figure(
            name: "density", title: "Spectral density of the Hessian",
            caption: """
                Stochastic Lanczos quadrature with \(settings.densityProbes) probes of \(settings.lanczosSteps) steps on \
                \(settings.curvatureSamples) training digits, every point broadened to a width of \
                \(formatSignificant(width, digits: 2)); bands hold 95 % over probes. The bulk sits at zero, \
                the outliers on the right are the directions in which the loss rises steeply.
                """,
            kind: .lines(
                LinePlot(
                    x: Axis("eigenvalue"), y: Axis("density", isLogarithmic: true, range: 1e-6...1e3),
                    series: series)))
    }

    private var lines: Figure {
        func plot(_ title: String, _ values: (QuickstartResults.Slices) -> [Double]) -> LinePlot {
            LinePlot(
                title: title, x: Axis("α"), y: Axis("cross-entropy", isLogarithmic: true),
                series: both.map {
                    Series($0.label, x: $0.results.slices.alphas, y: values($0.results.slices), role: $0.role)
                })
        }
        return Figure(
            name: "lines", title: "The loss along a random line through the weights",
            caption: """
                θ + α·d with one random direction d, scaled filter by filter to each network's weights (Li et al. 2018); \
                the same random numbers for both. Left: clean loss. Right: loss on inputs attacked anew at every point \
                (PGD-\(settings.sliceSteps), ε = \(settings.epsilon)).
                """,
            kind: .panels([plot("clean loss", \.clean), plot("adversarial loss", \.adversarial)]))
    }

    private var planes: Figure {
        let side = standard.slices.planeAlphas
        return Figure(
            name: "planes", title: "The clean loss over a random plane through the weights",
            caption: """
                θ + α·d₁ + β·d₂ with two filter-normalised directions, the same random numbers and one colour scale for \
                both networks. The weights lie in the middle.
                """,
            kind: .surface(
                SurfacePlot(
                    xAxis: Axis("α"), yAxis: Axis("β"), value: Axis("cross-entropy", isLogarithmic: true),
                    x: side,
                    y: side,
                    panels: both.map {
                        SurfacePanel(
                            title: $0.label, z: $0.results.slices.plane, path: SurfacePath(x: [0], y: [0]))
                    })))
    }
}

extension QuickstartResults {
    /// The points of the density with the borders of its probes.
    var density: SpectralDensity {
        var ranges: [Range<Int>] = []
        for count in spectrum.probes {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<start + count)
        }
        return SpectralDensity(nodes: spectrum.nodes, weights: spectrum.weights, probes: ranges)
    }
}
