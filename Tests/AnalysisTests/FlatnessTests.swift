import Analysis
import Backend
import Graph
import TestSupport
import Testing

extension OnDevices {
    /// Directions and slices through the loss.
    @Suite struct FlatnessTests {
        private let layout = ParameterLayout([("w", [2, 2]), ("b", [2]), ("c", [2, 1, 1, 2])])

        @Test func filterNormalisation() {
            let weights: [Double] = [3, 4, 0, 0, 7, 7, 1, 0, 0, 2]
            let direction: [Double] = [1, 0, 0, 2, 5, 5, 0, 3, 4, 3]
            let filter = Directions.normalized(direction, to: weights, layout, .filter)
            #expect(Array(filter.prefix(4)) == [5, 0, 0, 0])
            #expect(mismatch(filter, [5, 0, 0, 0, 0, 0, 0, 1, 1.6, 1.2], tolerance: 1e-15) == nil)
            #expect(Directions.normalized(direction, to: weights, layout, .none) == direction)
            let layer = Directions.normalized(direction, to: weights, layout, .layer)
            let factor = 5 / 5.0.squareRoot()
            #expect(mismatch(Array(layer.prefix(4)), [factor, 0, 0, 2 * factor], tolerance: 1e-15) == nil)
            #expect(Array(layer[4..<6]) == [7, 7])
            let nothing = [Double](repeating: 0, count: 10)
            #expect(Directions.normalized(nothing, to: weights, layout, .filter) == nothing)
        }

        @Test func randomDirections() {
            let a = Directions.random(layout, seed: 1, index: 0)
            #expect(a == Directions.random(layout, seed: 1, index: 0))
            #expect(a != Directions.random(layout, seed: 1, index: 1))
            #expect(a != Directions.random(layout, seed: 2, index: 0))
        }

        @Test func positionsIncludeBothEnds() {
            #expect(Slice.positions(from: -1, to: 1, count: 5) == [-1, -0.5, 0, 0.5, 1])
            #expect(Slice.positions(from: 0.1, to: 0.7, count: 2) == [0.1, 0.7])
            #expect(Slice.positions(from: 0, to: 3, count: 1) == [1.5])
        }

        /// A linear model: ½·mean (x·w − y)² is a quadratic along every line and over every plane.
        @Test(arguments: TestDevices.targets)
        func quadraticLoss(_ target: Target) throws {
            let problem = try Problem("[3]", ["dense: {units: 2, bias: false}"], count: 5, seed: 1, .mse)
            let risk = try problem.risk(target, batchSize: 2)
            let (space, backend) = (risk.space, risk.space.backend)
            let directions = (0..<2).map { Directions.random(problem.network.layout, seed: 3, index: $0) }
            func exact(_ alpha: Double, _ beta: Double) -> Double {
                let w = (0..<6).map {
                    problem.weights.parameters[$0] + alpha * directions[0][$0] + beta * directions[1][$0]
                }
                return (0..<10).reduce(0) { sum, index in
                    let (n, o) = (index / 2, index % 2)
                    let y = dot(Array(w[3 * o..<3 * o + 3]), Array(problem.inputs[3 * n..<3 * n + 3]))
                    let error = y - problem.targets[index]
                    return sum + error * error / 10
                }
            }
            let before = try backend.download(risk.parameters.all)
            let arrays = try directions.map { try backend.upload($0, target.precision) }
            let alphas = Slice.positions(from: -1, to: 2, count: 7),
                betas = Slice.positions(from: -2, to: 2, count: 4)
            var points: [Int] = []
            let plane = try Slice.evaluate(
                at: risk.parameters, along: arrays, alphas: alphas, betas: betas, in: space,
                progress: { done, _ in points.append(done) },
                { point throws(BackendError) in [try risk.loss(at: point.all), 7] })
            let expected = betas.flatMap { beta in alphas.map { exact($0, beta) } }
            #expect(mismatch(plane.values[0], expected, tolerance: target.tolerance(2e-6, 1e-13)) == nil)
            #expect(plane.values[1] == [Double](repeating: 7, count: 28))
            #expect(points == Array(1...28))

            let line = try Slice.evaluate(
                at: risk.parameters, along: [arrays[0]], alphas: alphas, betas: [0], in: space
            ) { point throws(BackendError) in [try risk.loss(at: point.all)] }
            let tolerance = target.tolerance(2e-6, 1e-13)
            #expect(mismatch(line.values[0], alphas.map { exact($0, 0) }, tolerance: tolerance) == nil)
            #expect(line.alphas.first == -1 && line.alphas.last == 2)

            let after = try backend.download(risk.parameters.all)
            #expect(before.elementsEqual(after) { $0.bitPattern == $1.bitPattern })
        }
    }
}
