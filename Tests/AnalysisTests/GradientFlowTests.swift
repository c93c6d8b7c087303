import Analysis
import Backend
import Foundation
import TestSupport
import Testing
import Training

extension OnDevices {
    /// Flow and descent in closed form against training itself.
    @Suite struct GradientFlowTests {
        /// Full-batch gradient descent on `mse` of a linear network, in plain float64 loops. Returns the weights.
        private func train(_ linear: LinearProblem, steps: Int, rate: Double) -> [Double] {
            var weights = linear.weights
            for _ in 0..<steps {
                let error = zip(linear.outputs(linear.inputs, weights), linear.targets).map { $0 - $1 }
                let gradient = HostLinearAlgebra.product(
                    error, linear.inputs, linear.outputs, linear.count, linear.width, transposeA: true)
                for index in weights.indices {
                    weights[index] -= rate / Double(linear.count) * gradient[index]
                }
            }
            return weights
        }

        private func flow(
            _ linear: LinearProblem, _ target: Target, _ kind: KernelKind
        ) throws -> (flow: KernelFlow, kernel: [Double], test: [Double], layout: KernelTargets) {
            let layout = KernelTargets(kind, samples: linear.count, outputs: linear.outputs)
            let (train, test) = try linear.kernels(target, kind)
            let spectrum = try KernelSpectrum(train, layout.rows, epsilon: target.precision.epsilon)
            let residual = layout.columns(of: linear.residual, plane: 0)
            return (
                KernelFlow(spectrum, residual: residual, columns: layout.columns, samples: linear.count),
                train, test, layout
            )
        }

        private func predictions(
            _ found: (flow: KernelFlow, kernel: [Double], test: [Double], layout: KernelTargets),
            _ linear: LinearProblem, _ filter: SpectralFilter
        ) -> [Double] {
            let change = HostLinearAlgebra.product(
                found.test, found.flow.dual(filter), 5 * found.layout.groups, found.layout.rows,
                found.layout.columns)
            return zip(linear.outputs(linear.others, linear.weights), change).map(+)
        }

        /// A linear network is its own linearisation: s steps of training are the formula, on both sets of samples.
        @Test(arguments: TestDevices.targets, [KernelKind.mean, .full])
        func descentIsTraining(_ target: Target, _ kind: KernelKind) throws {
            let linear = try LinearProblem(count: 10, width: 4, outputs: 2, seed: 3)
            let found = try flow(linear, target, kind)
            let largest = LearningRate.largestStable(
                lambdaMax: found.flow.spectrum.values[0], samples: linear.count)
            for (steps, share) in [(0, 0.5), (1, 0.5), (7, 0.4), (300, 0.9)] {
                let rate = share * largest
                let weights = train(linear, steps: steps, rate: rate)
                let filter = SpectralFilter.descent(steps: Double(steps), learningRate: rate)
                let tolerance = target.tolerance(2e-4, 1e-10)
                let held = mismatch(
                    predictions(found, linear, filter), linear.outputs(linear.others, weights),
                    tolerance: tolerance)
                #expect(held == nil, "\(steps) steps: \(held ?? "")")
                let fitted = zip(
                    linear.outputs(linear.inputs, linear.weights), found.flow.change(filter)
                ).map(+)
                let inside = mismatch(fitted, linear.outputs(linear.inputs, weights), tolerance: tolerance)
                #expect(inside == nil, "\(steps) steps: \(inside ?? "")")
            }
        }

        /// At 0.99 of the largest stable learning rate training converges, at 1.01 it diverges.
        @Test(arguments: TestDevices.targets)
        func theLargestStableLearningRate(_ target: Target) throws {
            let linear = try LinearProblem(count: 6, width: 8, outputs: 1, seed: 4)
            let found = try flow(linear, target, .mean)
            let largest = LearningRate.largestStable(lambdaMax: found.flow.spectrum.values[0], samples: 6)
            func loss(_ share: Double) -> Double {
                let weights = train(linear, steps: 2000, rate: share * largest)
                return zip(linear.outputs(linear.inputs, weights), linear.targets).reduce(0) {
                    $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
                }
            }
            let start = linear.residual.reduce(0) { $0 + $1 * $1 }
            #expect(loss(0.99) < 1e-3 * start)
            #expect(loss(1.01) > 1e6 * start)
            #expect(LearningRate.largestStable(lambdaMax: 4, samples: 6, momentum: 0.5) == 4.5)
        }

        /// The limit of long times is ridgeless regression; short times are one step down the gradient.
        @Test(arguments: TestDevices.targets)
        func longAndShortTimes(_ target: Target) throws {
            let linear = try LinearProblem(count: 6, width: 9, outputs: 2, seed: 5)
            let found = try flow(linear, target, .mean)
            let solution = try KernelRidge.solve(
                found.kernel, 6, linear.residual, columns: 2, ridge: 0, epsilon: target.precision.epsilon)
            #expect(solution.method == .cholesky)
            for filter in [
                SpectralFilter.flow(time: .infinity), .ridge(0),
                .flow(time: 1e6 * found.flow.timeConstants[5]),
            ] {
                let problem = mismatch(
                    found.flow.dual(filter), solution.coefficients, tolerance: target.tolerance(1e-8, 1e-9))
                #expect(problem == nil, "\(filter): \(problem ?? "")")
            }
            let time = 1e-7
            let weights = train(linear, steps: 1, rate: time)
            let change = zip(
                predictions(found, linear, .flow(time: time)), linear.outputs(linear.others, linear.weights)
            ).map { ($0 - $1) / time }
            let expected = zip(
                linear.outputs(linear.others, weights), linear.outputs(linear.others, linear.weights)
            ).map { ($0 - $1) / time }
            #expect(mismatch(change, expected, tolerance: target.tolerance(1e-5, 1e-6)) == nil)
        }

        /// A singular kernel: null modes stay, and the limit is the solution of least norm.
        @Test(arguments: TestDevices.targets)
        func singularKernels(_ target: Target) throws {
            let linear = try LinearProblem(count: 9, width: 3, outputs: 2, seed: 6)
            let found = try flow(linear, target, .mean)
            #expect(found.flow.spectrum.rank == 3 && found.flow.timeConstants[3] == .infinity)
            let solution = try KernelRidge.solve(
                found.kernel, 9, linear.residual, columns: 2, ridge: 0, epsilon: target.precision.epsilon)
            #expect(solution.method == .minimumNorm && solution.rank == 3)
            let limit = found.flow.dual(.flow(time: .infinity))
            #expect(mismatch(limit, solution.coefficients, tolerance: target.tolerance(1e-5, 1e-12)) == nil)
            let loss = found.flow.loss(.flow(time: .infinity))
            #expect(abs(loss - found.flow.lossOutsideSpan) < 1e-15 && loss > 0.01)
            // What least squares leaves.
            let left = zip(linear.residual, found.flow.change(.flow(time: .infinity))).map { $0 - $1 }
            #expect(abs(loss - left.reduce(0) { $0 + $1 * $1 } / 18) < 1e-12)
        }

        /// The modes' losses sum to the loss of the predictions, at every time and for every filter.
        @Test(arguments: TestDevices.targets, [KernelKind.mean, .full, .diagonal])
        func modesSumToTheLoss(_ target: Target, _ kind: KernelKind) throws {
            let problem = try Problem(
                "[3]", ["dense: 6", "tanh", "dense: 2"], count: 8, seed: 7, .mse)
            let layout = KernelTargets(kind, samples: 8, outputs: 2)
            let kernel = try problem.ntk(target, kind).kernel.elements
            let count = layout.rows * layout.rows
            let flows = try (0..<layout.planes).map { plane in
                let matrix = Array(kernel[plane * count..<(plane + 1) * count])
                return KernelFlow(
                    try KernelSpectrum(matrix, layout.rows, epsilon: target.precision.epsilon),
                    residual: layout.columns(of: problem.targets, plane: plane), columns: layout.columns,
                    samples: 8)
            }
            for filter in [
                SpectralFilter.flow(time: 0), .flow(time: 0.3), .flow(time: 50), .ridge(0.2),
                .descent(steps: 5, learningRate: 0.1),
            ] {
                var values = [Double](repeating: 0, count: 16)
                for (plane, flow) in flows.enumerated() {
                    layout.place(flow.change(filter), plane: plane, in: &values)
                }
                let expected = zip(values, problem.targets).reduce(0) {
                    $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / 16
                }
                let found = flows.reduce(0) { $0 + $1.loss(filter) }
                #expect(abs(found - expected) < 1e-12, "\(filter)")
            }
        }

        @Test func filters() {
            let flow = SpectralFilter.flow(time: 6)
            #expect(flow.gain(0, samples: 3) == 2 && flow.decay(0, samples: 3) == 1)
            #expect(abs(flow.gain(1e-18, samples: 3) - 2) < 1e-15)
            #expect(abs(flow.gain(0.5, samples: 3) - (1 - exp(-1)) / 0.5) < 1e-15)
            let descent = SpectralFilter.descent(steps: 3, learningRate: 0.6)
            #expect(abs(descent.decay(8, samples: 2) - -1.4 * 1.4 * 1.4) < 1e-14)
            #expect(abs(descent.gain(8, samples: 2) - (1 + 1.4 * 1.4 * 1.4) / 8) < 1e-14)
            #expect(abs(descent.gain(1e-20, samples: 2) - 0.9) < 1e-15)
            #expect(SpectralFilter.ridge(2).decay(2, samples: 9) == 0.5)
        }

        /// A wide network, trained for real in small steps, follows the flow of its kernel at the start.
        @Test(arguments: TestDevices.exactTargets)
        func aWideNetworkFollowsTheFlow(_ target: Target) throws {
            let width = 1024, count = 6
            let text = [
                "dense: {units: \(width), parametrization: ntk, weight-std: 1.4, bias-std: 0.1}", "tanh",
                "dense: {units: 1, parametrization: ntk, weight-std: 1, bias-std: 0}",
            ]
            var problem = try Problem("[3]", text, count: count, seed: 8, .mse)
            problem.weights = .initial(problem.network, seed: 8)
            let risk = try problem.risk(target), space = risk.space
            let parameters = risk.parameters
            let network = problem.network
            func outputs(_ problem: Problem) throws -> [Double] {
                let backend = space.backend
                let program = try backend.compile(network.forward(batchSize: count), target.precision)
                let result = try backend.allocate(count, target.precision)
                let x = try backend.upload(problem.inputs, target.precision)
                try program.run(
                    inputs: program.plan.inputs.map { port in
                        network.layout.entries.first { $0.name == port.name }.map { parameters[$0.range] }
                            ?? x.all
                    }, outputs: [result.all])
                return try backend.download(result.all)
            }
            let start = try outputs(problem)
            let kernel = try problem.ntk(target, .mean).kernel
            let flow = KernelFlow(
                try KernelSpectrum(kernel.elements, count, epsilon: target.precision.epsilon),
                residual: zip(problem.targets, start).map { $0 - $1 }, columns: 1, samples: count)
            let rate = 0.05 * LearningRate.largestStable(lambdaMax: flow.spectrum.values[0], samples: count)
            let gradient = try space.vector(), spare = try space.vector()
            let steps = 150
            for _ in 0..<steps {
                _ = try risk.gradient(into: gradient.all)
                try space.add(parameters.all, -rate, gradient.all, into: spare.all)
                try space.backend.copy(spare.all, to: parameters.all)
            }
            let trained = try outputs(problem)
            let change = flow.change(.flow(time: rate * Double(steps)))
            let moved = change.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let apart = zip(zip(trained, start), change).reduce(0) { sum, pair in
                let difference = pair.0.0 - pair.0.1 - pair.1
                return sum + difference * difference
            }.squareRoot()
            #expect(moved > 0.3 && apart < 0.05 * moved, "moved \(moved), apart \(apart)")
        }
    }
}
