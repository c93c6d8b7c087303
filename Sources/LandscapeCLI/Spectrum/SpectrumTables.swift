import Report

/// What a run prints.
struct SpectrumTables {
    private let options: MeasureCommand
    private let result: SpectrumOutput

    init(_ options: MeasureCommand, _ result: SpectrumOutput) {
        (self.options, self.result) = (options, result)
    }

    func show(_ folder: String?) {
        var rows = [
            ("matrix", "\(options.curvature.title), \(result.dimension) rows"),
            ("samples", "\(result.samples)"), ("loss", formatSignificant(result.loss, digits: 6)),
        ]
        if let subset = result.subset {
            rows.insert(("parameters", subset + (result.cross.map { " × \($0)" } ?? "")), at: 1)
        }
        if let trace = result.trace {
            let error = result.traceStandardError
            let value =
                error.map { formatWithError(trace, error: $0) } ?? "\(formatSignificant(trace)) ± unknown"
            rows.append(("trace ± standard error", value))
            if let interval = result.traceInterval {
                rows.append(("95 % interval of the trace", text(interval)))
            }
            rows.append(
                ("products for the trace", "\(result.traceProducts ?? 0), \(result.traceMethod ?? "")"))
        }
        if let density = result.density { rows += self.rows(density) }
        if let value = result.logDeterminant {
            let interval = result.logDeterminantInterval.map { ", \(text($0))" } ?? ""
            let shift = result.logDeterminantShift ?? 0
            rows.append(
                (
                    shift == 0 ? "log det A" : "log det (A + \(formatSignificant(shift)))",
                    formatSignificant(value, digits: 5) + interval
                ))
        }
        if let folder { rows.append(("folder", folder)) }
        Console.table(rows)
        if let values = result.eigenvalues { eigenvalues(values) }
        if let layers = result.layers { self.layers(layers) }
    }

    private func text(_ interval: SpectrumOutput.Interval) -> String {
        "\(formatSignificant(interval.lower, digits: 4)) to \(formatSignificant(interval.upper, digits: 4))"
    }

    private func rows(_ density: SpectrumOutput.Density) -> [(String, String)] {
        var rows = [
            ("density points", "\(density.nodes.count)"),
            ("smallest node", formatSignificant(density.nodes.min() ?? 0, digits: 6)),
            ("largest node", formatSignificant(density.nodes.max() ?? 0, digits: 6)),
            (
                "bandwidth",
                "\(formatSignificant(density.bandwidth, digits: 3)) (\(origin(density.bandwidthOrigin)))"
            ),
        ]
        if let truncation = density.truncation {
            rows.append(("largest change in the last steps", formatSignificant(truncation, digits: 2)))
        } else {
            rows.append(("largest change in the last steps", "unknown: too few steps"))
        }
        let mass = formatSignificant(density.negativeMass, digits: 3)
        rows.append(
            (
                "eigenvalues below −\(formatSignificant(density.negativeMassBeyond, digits: 2))",
                density.negativeMassInterval.map { "\(mass), \(text($0))" } ?? mass
            ))
        let part = formatSignificant(density.negativeShare, digits: 3)
        rows.append(
            ("negative part of Σ|λ|", density.negativeShareInterval.map { "\(part), \(text($0))" } ?? part))
        rows.append(
            (
                "isolated above, below the bulk",
                "\(density.outliersAbove.count), \(density.outliersBelow.count)"
            ))
        let norm = formatSignificant(density.frobeniusNorm, digits: 4)
        rows.append(("Frobenius norm", density.frobeniusNormInterval.map { "\(norm), \(text($0))" } ?? norm))
        return rows
    }

    private func origin(_ name: String) -> String {
        switch name {
        case "given": "as asked for"
        case "crossValidation": "from the data"
        default: "what the quadrature resolves"
        }
    }

    private func eigenvalues(_ values: [Double]) {
        var table = Report.Table(
            columns: (["eigenvalue", "residual"] + (result.errorBounds == nil ? [] : ["error at most"])).map {
                Report.Column($0, alignment: .right)
            })
        table.rows = values.indices.map { index in
            let errors = [result.residuals, result.errorBounds].compactMap { $0?[index] }
            return [Report.Cell(formatSignificant(values[index], digits: 8))]
                + errors.map { Report.Cell(formatSignificant($0, digits: 2)) }
        }
        print("\n" + table.text)
        if result.converged == true, let count = result.largestGapAfter, let ratio = result.largestGapRatio {
            let classes = result.classes.map { "; the data has \($0) classes" } ?? ""
            print(
                "\nthe largest step is after \(count), by a factor of \(formatSignificant(ratio, digits: 3))\(classes)"
            )
        }
        if result.complete == false {
            print("\nwhether eigenvalues were missed is not settled: give more --eigenvalue-products")
        }
    }

    private func layers(_ layers: [SpectrumOutput.Layer]) {
        let names = ["parameters", "largest", "smallest", "trace ± error", "norm ± error"]
        var table = Report.Table(
            columns: ["layer"] + names.map { Report.Column($0, alignment: .right) })
        table.rows = layers.map { layer in
            [
                layer.layer, "\(layer.parameters)",
                formatSignificant(layer.eigenvalues.first ?? 0, digits: 5),
                formatSignificant(layer.smallest, digits: 2),
                layer.traceStandardError.map { formatWithError(layer.trace, error: $0) }
                    ?? formatSignificant(layer.trace, digits: 3),
                layer.frobeniusNormStandardError.map { formatWithError(layer.frobeniusNorm, error: $0) }
                    ?? formatSignificant(layer.frobeniusNorm, digits: 3),
            ].map { Report.Cell($0) }
        }
        print("\n" + table.text)
    }
}
