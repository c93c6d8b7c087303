import Analysis
import Backend
import Data
import Foundation
import Graph
import Models
import Planner
import Report
import Training

/// One network of the quickstart, from its training to its slices. Every stage is kept in the run folder.
struct QuickstartExperiment {
    let name: String
    let attack: Attack?
    let settings: QuickstartSettings
    let network: Network
    let train: Dataset, test: Dataset
    let run: RunFolder
    let backend: any Backend
    let precision: Precision

    func results() throws -> QuickstartResults {
        let folder = try run.folder(name)
        let metrics = try run.stage("\(name)/training") { try trainNetwork(folder) }
        let weights = try Weights.read("\(folder)/weights.safetensors", for: network)
        let accuracy = try run.stage("\(name)/accuracy") { try measureAccuracy(weights) }
        let kernels = try run.stage("\(name)/ntk") { try followKernel(folder) }
        let spectrum = try run.stage("\(name)/spectrum") { try measureSpectrum(weights) }
        let slices = try run.stage("\(name)/slices") { try measureSlices(weights) }
        return QuickstartResults(
            name: name, metrics: metrics, accuracy: accuracy, kernels: kernels, spectrum: spectrum,
            slices: slices)
    }

    private func study(_ weights: Weights, _ samples: Dataset) throws -> Study {
        try Study(
            network, weights, Samples(samples, file: "digits"), .crossEntropy,
            batchSize: min(samples.count, 128), on: backend, precision)
    }

    private func pgd(_ steps: Int) -> Attack { .pgd(.linf, epsilon: settings.epsilon, steps: steps) }

    // MARK: Stages

    private func trainNetwork(_ folder: String) throws -> [TrainingRun.Line] {
        let options = TrainingOptions(
            schedule: Schedule(.cosine, rate: 0.05, warmup: 1), weightDecay: 1e-4, epochs: settings.epochs,
            batchSize: settings.batchSize, seed: settings.seed, attack: attack)
        let held = test
        let evaluator = try Evaluator(
            network, .crossEntropy, inputs: held.inputs.doubles, targets: held.oneHot().doubles,
            labels: held.labels, batchSize: 128, on: backend, precision)
        let training = TrainingRun(
            network: network, options: options, samples: try Samples(train, file: "digits"), test: evaluator,
            checkpoints: settings.kernelTimes, every: 0, folder: folder, title: "\(name): training")
        let (weights, metrics) = try training.run(on: backend, precision)
        let format: Safetensors.Format = precision == .float32 ? .float32 : .float64
        try writeAtomically(weights.bytes(for: network, format), to: "\(folder)/weights.safetensors")
        return metrics
    }

    private func measureAccuracy(_ weights: Weights) throws -> QuickstartResults.Accuracy {
        Console.progress("\(name): accuracy, clean and under attack")
        let attack = pgd(settings.evaluationSteps)
        let held = try study(weights, test), seen = try study(weights, curvatureSamples())
        let clean = try held.evaluator.run(held.arrays)
        let robust = try held.evaluator.run(held.arrays, attack: attack, seed: settings.seed)
        return QuickstartResults.Accuracy(
            testAccuracy: clean.accuracy ?? .nan, testLoss: clean.loss,
            robustAccuracy: robust.accuracy ?? .nan,
            robustLoss: robust.loss, trainLoss: try seen.evaluator.run(seen.arrays).loss,
            trainRobustLoss: try seen.evaluator.run(seen.arrays, attack: attack, seed: settings.seed).loss)
    }

    private func curvatureSamples() throws -> Dataset {
        try train.balancedSubset(count: settings.curvatureSamples)
    }

    private func followKernel(_ folder: String) throws -> QuickstartResults.Kernels {
        let probes = try test.balancedSubset(count: settings.kernelSamples)
        let x = try backend.upload(probes.inputs.doubles, precision)
        let perEpoch = (train.count + settings.batchSize - 1) / settings.batchSize
        var kernels: [(time: Double, kernel: KernelMatrix)] = []
        // Times that share a step count once, and the end is always there.
        let last = Int((settings.epochs * Double(perEpoch)).rounded())
        let steps = Set(settings.kernelTimes.map { Int(($0 * Double(perEpoch)).rounded()) } + [last])
        for step in steps.sorted() {
            Console.progress("\(name): kernel after step \(step)")
            let weights = try Weights.read(
                Checkpoint.weightsPath("\(folder)/checkpoints", step: step), for: network)
            let arrays = try NetworkArrays(network, weights, on: backend, precision)
            let network = network
            let ntk = try EmpiricalNTK(
                { network.forward(batchSize: $0) }, network.layout, parameters: arrays.parameters,
                fixed: arrays.boundState, x: (x, probes.count), kind: .full, on: backend)
            kernels.append((Double(step) / Double(perEpoch), try ntk.matrix()))
        }
        let final = kernels[kernels.count - 1].kernel
        try run.write(final.elements, [final.rows, final.columns], "\(name)/ntk.npy")
        let trajectory = KernelTrajectory(kernels)
        return QuickstartResults.Kernels(
            times: trajectory.times, distances: trajectory.distancesFromStart,
            velocities: trajectory.velocities,
            largestEigenvalues: try kernels.map { try $0.kernel.eigenvalues().last ?? 0 },
            traces: kernels.map(\.kernel.trace))
    }

    private func measureSpectrum(_ weights: Weights) throws -> QuickstartResults.Spectrum {
        Console.progress("\(name): Hessian eigenvalues")
        let hessian = try CurvatureOperator(.hessian, of: study(weights, curvatureSamples()).risk())
        let pairs = try Eigenpairs.largest(settings.top, of: hessian, EigenpairOptions(seed: settings.seed))
        Console.progress("\(name): Hessian trace")
        let trace = try TraceEstimate.hutchinson(hessian, probes: settings.traceProbes, seed: settings.seed)
        Console.progress("\(name): Hessian density")
        let density = try SpectralDensity.estimate(
            hessian, steps: settings.lanczosSteps, probes: settings.densityProbes, seed: settings.seed)
        return QuickstartResults.Spectrum(
            eigenvalues: pairs.values, residuals: pairs.residuals, trace: trace.mean,
            traceStandardError: trace.standardError, nodes: density.nodes, weights: density.weights,
            probes: density.probes.map(\.count))
    }

    private func measureSlices(_ weights: Weights) throws -> QuickstartResults.Slices {
        let study = try study(weights, curvatureSamples())
        let space = VectorSpace(network.layout.count, on: backend, precision)
        /// The same random numbers for both networks, scaled to each one's filters.
        func direction(_ index: Int) throws -> DeviceArray {
            let raw = Directions.random(network.layout, seed: settings.seed, index: index)
            return try backend.upload(
                Directions.normalized(raw, to: weights.parameters, network.layout, .filter), precision)
        }
        func clean(_ point: DeviceArray) throws(BackendError) -> Double {
            try study.evaluator.run(study.arrays, parameters: point.all).loss
        }
        let attack = pgd(settings.sliceSteps), seed = settings.seed
        let alphas = Slice.positions(from: -1, to: 1, count: settings.linePoints)
        var progress = ProgressLine("\(name): slices")
        let line = try Slice.evaluate(
            at: study.arrays.parameters, along: [direction(0)], alphas: alphas, betas: [0], in: space,
            progress: { progress.show(Double($0) / Double($1)) }
        ) { point throws(BackendError) in
            [
                try clean(point),
                try study.evaluator.run(study.arrays, parameters: point.all, attack: attack, seed: seed).loss,
            ]
        }
        let side = Slice.positions(from: -1, to: 1, count: settings.planePoints)
        let plane = try Slice.evaluate(
            at: study.arrays.parameters, along: [direction(0), direction(1)], alphas: side, betas: side,
            in: space
        ) { point throws(BackendError) in [try clean(point)] }
        let centre = try study.evaluator.run(study.arrays).loss
        let radius = settings.sharpnessRadius
        let increases = try (0..<settings.sharpnessDirections).map { index in
            let steps = try Slice.evaluate(
                at: study.arrays.parameters, along: [direction(index)], alphas: [radius], betas: [0],
                in: space
            ) { point throws(BackendError) in [try clean(point)] }
            return steps.values[0][0] - centre
        }
        try run.write(plane.values[0], [side.count, side.count], "\(name)/plane.npy")
        let sharpness = MeanEstimate(increases)
        return QuickstartResults.Slices(
            alphas: alphas, clean: line.values[0], adversarial: line.values[1], planeAlphas: side,
            plane: plane.values[0], sharpness: sharpness.mean, sharpnessStandardError: sharpness.standardError
        )
    }
}
