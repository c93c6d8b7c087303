import Analysis
import Backend
import Data
import Foundation
import TestSupport
import Testing

extension OnDevices {
    /// Conjugate gradients against factorisations, and what the preconditioner promises.
    @Suite struct ConjugateGradientTests {
        /// A dense symmetric matrix with the given eigenvalues.
        private func matrix(_ values: [Double], seed: UInt64) throws -> [Double] {
            let n = values.count
            let vectors = try HostLinearAlgebra.symmetricEigen(symmetric(n, seed: seed), n).vectors
            var scaled = vectors
            for index in scaled.indices { scaled[index] *= values[index / n] }
            var product = HostLinearAlgebra.product(vectors, scaled, n, n, n, transposeA: true)
            for i in 0..<n { for j in 0..<i { product[j * n + i] = product[i * n + j] } }
            return product
        }

        private func logarithmic(_ n: Int, _ condition: Double) -> [Double] {
            (0..<n).map { pow(condition, -Double($0) / Double(n - 1)) }
        }

        @Test(arguments: TestDevices.exactTargets, [0, 12])
        func anIllConditionedKernel(_ target: Target, rank: Int) throws {
            let n = 60
            let elements = try matrix(logarithmic(n, 1e8), seed: 1)
            var random = TestRandom(seed: 2)
            // Right-hand sides of known solutions, so that the residual is not limited by huge ones.
            let truth = random.values(n * 3)
            let right = HostLinearAlgebra.product(elements, truth, n, n, 3)
            let direct = try KernelRidge.solve(elements, n, right, columns: 3, ridge: 0, epsilon: 0)
            #expect(direct.method == .cholesky)
            let kernel = try target.matrix(elements)
            let preconditioner =
                rank == 0
                ? nil : try NystromPreconditioner(kernel, rank: rank, ridge: 0, seed: 3)
            let columns = HostLinearAlgebra.transposed(right, n, 3)
            let found = try ConjugateGradients.solve(
                kernel, (0..<3).map { Array(columns[$0 * n..<($0 + 1) * n]) }, preconditioner: preconditioner,
                ConjugateGradients.Options(tolerance: 1e-12, iterations: 20_000))
            // True residuals, checked here.
            let solution = HostLinearAlgebra.transposed(found.solutions.flatMap { $0 }, 3, n)
            let product = HostLinearAlgebra.product(elements, solution, n, n, 3)
            for column in 0..<3 {
                let error = (0..<n).map { product[$0 * 3 + column] - right[$0 * 3 + column] }
                let size = (0..<n).map { right[$0 * 3 + column] }
                let residual = (dot(error, error) / dot(size, size)).squareRoot()
                #expect(residual < 1.5e-12 && abs(residual - found.residuals[column]) < 1e-13)
            }
            // Norms of errors are at most the condition number times the residual.
            let distance = zip(solution, direct.coefficients).map { $0 - $1 }
            #expect(dot(distance, distance).squareRoot() < 1e8 * 1e-12 * dot(truth, truth).squareRoot())
        }

        /// With the outliers of a spectrum deflated, the rest decides: the usual bound by its condition number holds.
        @Test(arguments: TestDevices.exactTargets)
        func thePreconditionerRemovesOutliers(_ target: Target) throws {
            let n = 120, outliers = 20, ridge = 1e-3
            let values = (0..<n).map {
                $0 < outliers ? pow(10, 3 - Double($0) / 5) : ridge * Double(n - $0) / 50
            }
            let elements = try matrix(values, seed: 4)
            let kernel = try target.matrix(elements)
            let shifted = try ShiftedOperator(kernel, by: ridge)
            var random = TestRandom(seed: 5)
            let right = random.values(n)
            let options = ConjugateGradients.Options(tolerance: 1e-8, iterations: 100_000)
            let plain = try ConjugateGradients.solve(shifted, [right], options)
            let preconditioner = try NystromPreconditioner(
                kernel, rank: outliers + 5, ridge: ridge, seed: 6)
            for (found, value) in zip(preconditioner.eigenvalues, values.prefix(outliers)) {
                // A Nyström approximation lies below the matrix.
                #expect(found < value * (1 + 1e-9) && found > 0.6 * value, "\(found) of \(value)")
            }
            let found = try ConjugateGradients.solve(
                shifted, [right], preconditioner: preconditioner, options)
            // The condition number of what is left, from the largest value that was not deflated to the ridge.
            let root = ((values[outliers] + ridge) / ridge).squareRoot()
            let bound = Int((log(2 / 1e-8 * root) / -log((root - 1) / (root + 1))).rounded(.up)) + 4
            #expect(found.iterations[0] <= bound, "\(found.iterations[0]) iterations, bound \(bound)")
            #expect(plain.iterations[0] > 2 * bound, "\(plain.iterations[0]) without, bound \(bound)")
        }

        @Test(arguments: TestDevices.targets)
        func breakdowns(_ target: Target) throws {
            let indefinite = try target.diagonal([1, -1, 2])
            #expect(throws: BackendError.self) { try ConjugateGradients.solve(indefinite, [[1, 1, 1]]) }
            #expect(throws: BackendError.self) {
                try NystromPreconditioner(indefinite, rank: 3, ridge: 0, seed: 0)
            }
            let holes = try target.diagonal([1, .nan, 2])
            #expect(throws: BackendError.self) { try ConjugateGradients.solve(holes, [[1, 1, 1]]) }
            let plain = try target.diagonal([1, 2, 4])
            #expect(throws: BackendError.self) { try ConjugateGradients.solve(plain, [[1, .nan, 1]]) }
            // More than the precision has: it says so, and what it reached.
            let hard = try target.matrix(matrix(logarithmic(40, 1e5), seed: 7))
            var random = TestRandom(seed: 8)
            let message = #expect(throws: BackendError.self) {
                try ConjugateGradients.solve(
                    hard, [random.values(40)], ConjugateGradients.Options(tolerance: 1e-17, iterations: 5000))
            }
            #expect(message?.description.contains("residual") == true, "\(message?.description ?? "")")
            // Zero has the solution zero; and a diagonal is solved in as many steps as it has values.
            let found = try ConjugateGradients.solve(plain, [[0, 0, 0], [1, 2, 4]])
            #expect(found.solutions[0] == [0, 0, 0] && found.residuals[0] == 0 && found.iterations[1] <= 4)
            #expect(mismatch(found.solutions[1], [1, 1, 1], tolerance: target.tolerance(1e-5, 1e-10)) == nil)
        }

        /// A kernel file gives the same products whether it stays on the device or passes by in panels.
        @Test(arguments: TestDevices.targets, [true, false])
        func kernelFiles(_ target: Target, isWide: Bool) throws {
            let n = 23
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).npy").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            let elements = symmetric(n, seed: 9).map { isWide ? $0 : Double(Float($0)) }
            let array =
                isWide
                ? NDArray(shape: [n, n], doubles: elements)
                : NDArray(shape: [n, n], floats: elements.map { Float($0) })
            try Npy.write(array, to: path)
            let file = try MappedMatrix(path)
            #expect(
                file.shape == [n, n] && file.doubles(0..<n) == elements && file.element(3, 5) == elements[74])
            let backend = try target.open()
            var random = TestRandom(seed: 10)
            let vectors = random.values(11 * n)
            let expected = HostLinearAlgebra.product(vectors, elements, 11, n, n)
            for (rows, isResident) in [(n, true), (7, false), (1, false)] {
                let matrix = try KernelFileOperator(
                    file, memory: rows * n * target.precision.bytes, on: backend, target.precision)
                #expect(matrix.panelRows == rows && matrix.isResident == isResident)
                let given = try (0..<11).map {
                    try backend.upload(Array(vectors[$0 * n..<($0 + 1) * n]), target.precision)
                }
                let results = try (0..<11).map { _ in try matrix.space.vector() }
                try matrix.apply(given.map(\.all), into: results.map(\.all))
                let found = try results.flatMap { try backend.download($0.all) }
                #expect(mismatch(found, expected, tolerance: target.tolerance(1e-6, 1e-14)) == nil)
                #expect(
                    mismatch(
                        try matrix.apply(Array(vectors[..<n])), Array(expected[..<n]),
                        tolerance: target.tolerance(1e-6, 1e-14)) == nil)
            }
            var broken = elements
            broken[2 * n + 1] = .infinity
            try Npy.write(NDArray(shape: [n, n], doubles: broken), to: path)
            let error = #expect(throws: DataError.self) {
                try KernelFileOperator(MappedMatrix(path), memory: 1, on: backend, target.precision)
            }
            #expect(error?.description.contains("row 2, column 1") == true)
        }
    }
}
