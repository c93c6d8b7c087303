import Analysis
import Backend
import Models
import TestSupport
import Testing

/// The data of a linear network without bias, whose kernel is `X·Xᵀ` for every output.
struct LinearProblem {
    let inputs: [Double], others: [Double], targets: [Double], weights: [Double]
    let count: Int, width: Int, outputs: Int
    let problem: Problem

    init(count: Int, width: Int, outputs: Int, seed: UInt64) throws {
        (self.count, self.width, self.outputs) = (count, width, outputs)
        var random = TestRandom(seed: seed)
        inputs = random.values(count * width)
        others = random.values(5 * width)
        targets = random.values(count * outputs)
        weights = random.values(outputs * width)
        problem = try Problem(
            "[\(width)]", ["dense: {units: \(outputs), bias: false}"], weights: weights, inputs: inputs,
            targets: targets, .mse)
    }

    /// `x·Wᵀ` `[rows, O]` for weights `[O, width]`.
    func outputs(_ x: [Double], _ weights: [Double]) -> [Double] {
        HostLinearAlgebra.product(x, weights, x.count / width, width, outputs, transposeB: true)
    }

    /// `Y − f₀`.
    var residual: [Double] { zip(targets, outputs(inputs, weights)).map { $0 - $1 } }

    /// Kernels of the samples, and between the others and the samples, on a device.
    func kernels(_ target: Target, _ kind: KernelKind) throws -> (train: [Double], test: [Double]) {
        let flipped = try problem.ntk(target, kind, others: others).kernel
        return (
            try problem.ntk(target, kind).kernel.elements,
            HostLinearAlgebra.transposed(flipped.elements, flipped.rows, flipped.columns)
        )
    }
}

extension OnDevices {
    /// Kernel regression against regression on the inputs themselves.
    @Suite struct KernelRegressionTests {
        private static let kinds: [KernelKind] = [.mean, .full, .pseudo, .trace]

        /// Ridge regression of a linear network is `W₀ + (XᵀX + ridge)⁻¹Xᵀ(Y − f₀)` on raw inputs.
        @Test(arguments: TestDevices.targets, kinds)
        func aLinearNetworkIsRidgeRegression(_ target: Target, _ kind: KernelKind) throws {
            let linear = try LinearProblem(count: 12, width: 4, outputs: 3, seed: 1)
            let layout = KernelTargets(kind, samples: 12, outputs: 3)
            let (train, test) = try linear.kernels(target, kind)
            for ridge in [0.5, 1e-2] {
                // The normal equations in d×d, solved by an eigen-decomposition: no code is shared.
                var gram = HostLinearAlgebra.product(
                    linear.inputs, linear.inputs, 4, 12, 4, transposeA: true)
                for i in 0..<4 { gram[5 * i] += ridge }
                let right = HostLinearAlgebra.product(
                    linear.inputs, linear.residual, 4, 12, 3, transposeA: true)
                let (values, vectors) = try HostLinearAlgebra.symmetricEigen(gram, 4)
                var step = HostLinearAlgebra.product(vectors, right, 4, 4, 3)
                for index in step.indices { step[index] /= values[index / 3] }
                step = HostLinearAlgebra.product(vectors, step, 4, 4, 3, transposeA: true)
                let expected = zip(
                    linear.outputs(linear.others, linear.weights),
                    HostLinearAlgebra.product(linear.others, step, 5, 4, 3)
                ).map(+)

                let solution = try KernelRidge.solve(
                    train.map { $0 * layout.scale }, layout.rows,
                    layout.columns(of: linear.residual, plane: 0),
                    columns: layout.columns, ridge: ridge, epsilon: target.precision.epsilon)
                #expect(solution.method == .cholesky && solution.residual < 1e-12)
                let change = HostLinearAlgebra.product(
                    test.map { $0 * layout.scale }, solution.coefficients, 5 * layout.groups, layout.rows,
                    layout.columns)
                let found = zip(linear.outputs(linear.others, linear.weights), change).map(+)
                let problem = mismatch(found, expected, tolerance: target.tolerance(1e-4, 1e-12))
                #expect(problem == nil, "\(kind.rawValue), ridge \(ridge): \(problem ?? "")")
            }
        }

        /// Duplicated samples with targets of their own: the rank is that of the inputs, and the solution that of least norm.
        @Test(arguments: TestDevices.targets)
        func duplicatedSamples(_ target: Target) throws {
            let linear = try LinearProblem(count: 4, width: 6, outputs: 1, seed: 2)
            var doubled = linear.problem
            doubled.inputs += doubled.inputs
            let kernel = try doubled.ntk(target, .mean).kernel.elements
            let right = [1.0, 2, 3, 4, 3, 2, 1, 0]
            let solution = try KernelRidge.solve(
                kernel, 8, right, columns: 1, ridge: 0, epsilon: target.precision.epsilon)
            #expect(solution.method == .minimumNorm && solution.rank == 4)
            // The best fit is the mean of each pair, and equal coefficients have least norm.
            let fit = HostLinearAlgebra.product(kernel, solution.coefficients, 8, 8, 1)
            #expect(
                mismatch(fit, [2, 2, 2, 2, 2, 2, 2, 2], tolerance: target.tolerance(1e-4, 1e-11)) == nil)
            #expect(
                mismatch(
                    Array(solution.coefficients[..<4]), Array(solution.coefficients[4...]),
                    tolerance: target.tolerance(1e-4, 1e-11)) == nil)
            // Half of the difference of a pair, as a share of all.
            let expected = (right.indices.reduce(0) { $0 + (right[$1] - 2) * (right[$1] - 2) } / 44)
                .squareRoot()
            #expect(abs(solution.residual - expected) < target.tolerance(1e-4, 1e-11))
            // A ridge makes the same system regular.
            let ridged = try KernelRidge.solve(
                kernel, 8, right, columns: 1, ridge: 0.1, epsilon: target.precision.epsilon)
            #expect(ridged.method == .cholesky && ridged.rank == 8)
        }

        @Test func singularAndIndefiniteKernels() throws {
            let indefinite = [1.0, 2, 2, 1]
            #expect(throws: BackendError.self) {
                try KernelRidge.solve(indefinite, 2, [1, 1], columns: 1, ridge: 0, epsilon: 0)
            }
            let holes = [1.0, .nan, .nan, 1]
            #expect(throws: BackendError.self) {
                try KernelRidge.solve(holes, 2, [1, 1], columns: 1, ridge: 0, epsilon: 0)
            }
            // A Cholesky factor exists, but its last pivot is rounding.
            let thin = try KernelRidge.solve([1, 0, 0, 1e-17], 2, [1, 1], columns: 1, ridge: 0, epsilon: 0)
            #expect(thin.method == .minimumNorm && thin.rank == 1 && thin.coefficients == [1, 0])
            // With a ridge above the rounding bound every mode is sound again.
            let lifted = try KernelRidge.solve(
                [1, 0, 0, 1e-17], 2, [1, 1], columns: 1, ridge: 1e-6, epsilon: 1e-7)
            #expect(lifted.method == .cholesky && abs(lifted.coefficients[1] - 1e6) < 1e-4)
            let narrow = try KernelRidge.solve(
                [1, 0, 0, 1e-7], 2, [1, 1], columns: 1, ridge: 0, epsilon: 1e-7)
            #expect(narrow.rank == 1 && narrow.residual == 0.5.squareRoot())
            let zero = try KernelRidge.solve([0, 0, 0, 0], 2, [1, 1], columns: 1, ridge: 0, epsilon: 0)
            #expect(zero.rank == 0 && zero.coefficients == [0, 0] && zero.residual == 1)
        }

        /// A diagonal matrix has its condition number, and LAPACK's estimate is exact there.
        @Test func theConditionNumberOfADiagonal() throws {
            let solution = try KernelRidge.solve(
                [4, 0, 0, 0.5], 2, [4, 1, 1, 3], columns: 2, ridge: 1, epsilon: 0)
            #expect(abs((solution.conditionNumber ?? 0) - 5 / 1.5) < 1e-14)
            let expected: [Double] = [4 / 5, 1 / 5, 1 / 1.5, 3 / 1.5]
            #expect(mismatch(solution.coefficients, expected, tolerance: 1e-15) == nil)
        }

        /// Tiles of a rectangular kernel, multiplied as they come, are its product; whatever the tile.
        @Test(arguments: TestDevices.targets, [KernelKind.full, .diagonal, .mean])
        func productsWhileTilesCome(_ target: Target, _ kind: KernelKind) throws {
            let problem = try Problem("[3]", ["dense: 4", "tanh", "dense: 2"], count: 7, seed: 5, .mse)
            var random = TestRandom(seed: 6)
            let others = random.values(5 * 3)
            let whole = try problem.ntk(target, kind, others: others).kernel
            let planes = kind.planes(2), inner = whole.columns, rows = whole.rows / planes
            let factors = (0..<planes).map { _ in random.values(inner * 3) }
            let backend = try target.open(), network = problem.network
            let weights = try backend.upload(problem.weights.parameters, target.precision)
            for tile in [2, 3, 100] {
                var options = EmpiricalNTK.Options()
                options.tile = tile
                let ntk = try EmpiricalNTK(
                    { network.forward(batchSize: $0) }, network.layout, parameters: weights, fixed: [:],
                    x: (try backend.upload(problem.inputs, target.precision), 7),
                    x2: (try backend.upload(others, target.precision), 5), kind: kind, options, on: backend)
                let sink = KernelProduct(rows: rows, factors: factors, columns: 3, target.precision)
                try ntk.run(into: sink)
                for plane in 0..<planes {
                    let part = Array(whole.elements[plane * rows * inner..<(plane + 1) * rows * inner])
                    let expected = HostLinearAlgebra.product(part, factors[plane], rows, inner, 3)
                    #expect(mismatch(sink.values[plane], expected, tolerance: 1e-13) == nil)
                }
            }
        }
    }
}
