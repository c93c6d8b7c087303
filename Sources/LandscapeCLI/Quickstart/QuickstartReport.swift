import Backend
import Foundation
import Models
import Report

/// The report of the quickstart: what was asked, one table, the figures, and how to do it again.
struct QuickstartReport {
    let standard: QuickstartResults, adversarial: QuickstartResults
    let settings: QuickstartSettings
    let network: Network
    let device: DeviceInfo
    let figures: [DrawnFigure]

    var document: Document {
        var document = Document(
            title: "Does adversarial training find flatter minima?",
            subtitle: "Two small networks on handwritten digits, measured on \(device.name)")
        document.blocks = opening + [.heading("The comparison"), .table(table)] + reading
        for figure in figures { document.blocks.append(.figure(figure)) }
        document.blocks += closing
        return document
    }

    private var opening: [Document.Block] {
        [
            .paragraph(
                """
                The same convolutional network (\(network.layout.count) parameters) was trained twice from the same \
                initial weights on 1,442 real 8×8 images of handwritten digits: once normally, and once on inputs that an \
                attack changes by up to ε = \(settings.epsilon) per pixel so as to raise the loss (PGD with \
                \(settings.trainingSteps) steps, L∞). Then the geometry of the loss around both solutions was measured: \
                how the neural tangent kernel moved through training, the spectrum of the Hessian, and slices of the loss.
                """)
        ]
    }

    /// Rows of the comparison, with standard errors where a number is an estimate.
    var table: Report.Table {
        var table = Report.Table(
            caption: """
                Accuracies on 355 held-out digits. Curvature and losses on \(settings.curvatureSamples) training digits, \
                clean inputs. ± is one standard error of the estimate over its random probes, not over training seeds.
                """,
            columns: [
                "quantity", Report.Column("standard", alignment: .right),
                Report.Column("adversarial", alignment: .right),
            ])
        func row(_ name: String, digits: Int = 3, _ value: (QuickstartResults) -> Double) {
            table.rows.append([
                Report.Cell(name), Report.Cell(formatSignificant(value(standard), digits: digits)),
                Report.Cell(formatSignificant(value(adversarial), digits: digits)),
            ])
        }
        func estimate(_ name: String, _ value: (QuickstartResults) -> (Double, Double)) {
            func text(_ results: QuickstartResults) -> String {
                let (mean, error) = value(results)
                return formatWithError(mean, error: error)
            }
            table.rows.append([
                Report.Cell(name), Report.Cell(text(standard)), Report.Cell(text(adversarial)),
            ])
        }
        row("test accuracy", digits: 4) { $0.accuracy.testAccuracy }
        row("robust test accuracy (PGD-\(settings.evaluationSteps))", digits: 4) {
            $0.accuracy.robustAccuracy
        }
        row("training loss, clean") { $0.accuracy.trainLoss }
        row("training loss, attacked") { $0.accuracy.trainRobustLoss }
        for index in 0..<settings.top {
            row("Hessian eigenvalue λ\(["₁", "₂", "₃", "₄", "₅"][min(index, 4)])") {
                index < $0.spectrum.eigenvalues.count ? $0.spectrum.eigenvalues[index] : .nan
            }
        }
        estimate("Hessian trace") { ($0.spectrum.trace, $0.spectrum.traceStandardError) }
        estimate("mean loss increase at α = \(settings.sharpnessRadius)") {
            ($0.slices.sharpness, $0.slices.sharpnessStandardError)
        }
        row("kernel distance from the start") { $0.kernels.distances.last ?? .nan }
        row("largest kernel eigenvalue, end") { $0.kernels.largestEigenvalues.last ?? .nan }
        return table
    }

    /// What the numbers say, made from the numbers.
    private var reading: [Document.Block] {
        /// The adversarial network's number over the standard one's, with the propagated standard error.
        func ratio(_ value: (QuickstartResults) -> Double, error: (QuickstartResults) -> Double = { _ in 0 })
            -> String
        {
            let quotient = value(adversarial) / value(standard)
            guard quotient.isFinite else { return "not comparable to" }
            let relative = [standard, adversarial].map { error($0) / value($0) }
            let spread = abs(quotient) * relative.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return
                (spread > 0
                ? formatWithError(quotient, error: spread) : formatSignificant(quotient, digits: 2))
                + " times"
        }
        let lambda = ratio { $0.spectrum.eigenvalues.first ?? .nan }
        let trace = ratio {
            $0.spectrum.trace
        } error: {
            $0.spectrum.traceStandardError
        }
        let sharpness = ratio {
            $0.slices.sharpness
        } error: {
            $0.slices.sharpnessStandardError
        }
        let gain = adversarial.accuracy.robustAccuracy - standard.accuracy.robustAccuracy
        return [
            .paragraph(
                """
                **What the numbers say.** Adversarial training changed robust accuracy by \
                \(formatSignificant(100 * gain, digits: 3)) percentage points. On clean inputs the adversarially trained \
                network's top Hessian eigenvalue is \(lambda) the standard network's, its trace \(trace), and its mean loss \
                increase along filter-normalised directions \(sharpness). Ratios within two errors of 1 tell nothing.
                """),
            .paragraph(
                """
                *Read with care:* the two networks end at different training losses, and the Hessian of the \
                cross-entropy shrinks as predictions become certain; a comparison of sharpness is also one of confidence. \
                One training seed each was used; the errors given are those of the estimators. The Hessian is not \
                invariant under rescaling of the weights; filter-normalised slices are, biases aside.
                """),
        ]
    }

    private var closing: [Document.Block] {
        let commands = """
            landscape quickstart --device \(device.selector) --seed \(settings.seed) --precision \(settings.precision) \\
                --epochs \(formatSignificant(settings.epochs)) --batch-size \(settings.batchSize)
            landscape spectrum --model model.yaml --weights standard/weights.safetensors \\
                --data digits:train:\(settings.curvatureSamples) --top \(settings.top) --trace --probes \(settings.traceProbes)
            landscape ntk --model model.yaml --weights standard/weights.safetensors \\
                --data digits:test:\(settings.kernelSamples) --kind full --output k.npy
            """
        return [
            .heading("How it was made"),
            .facts([
                Fact("device", "\(device.name) (\(device.selector), \(device.driver))"),
                Fact("precision", settings.precision), Fact("seed", "\(settings.seed)"),
                Fact("epochs", formatSignificant(settings.epochs)),
                Fact("batch size", "\(settings.batchSize)"),
                Fact(
                    "optimiser",
                    "SGD, momentum 0.9, rate 0.05 with warm-up and cosine decay, weight decay 1e-4"),
                Fact("version", Landscape.configuration.version),
            ]),
            .paragraph(
                """
                Data: 1,797 handwritten digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, *Optical \
                Recognition of Handwritten Digits*, CC BY 4.0. Every figure has its script and data in `figures`; arrays \
                are `.npy` files beside the weights.
                """),
            .details(summary: "Commands", blocks: [.code(commands)]),
            .details(summary: "The network", blocks: [.code(ModelFile.text(network))]),
        ]
    }
}
