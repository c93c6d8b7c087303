import Backend
import TestSupport
import Testing

@testable import Analysis

extension OnDevices {
    /// The factorisation behind every solver.
    @Suite struct KrylovTests {
        /// A spectrum that falls off fast makes couplings small, so that one pass of Gram-Schmidt would not do.
        @Test(arguments: TestDevices.targets)
        func theBasisStaysOrthonormal(_ target: Target) throws {
            let n = 60
            let values = (0..<n).reduce(into: [1.0]) { list, _ in list.append(list.last! * 0.4) }.prefix(n)
            let matrix = try target.diagonal(Array(values))
            let krylov = try Krylov(matrix, start: [Double](repeating: 1, count: n), capacity: n)
            while krylov.canExtend { try krylov.extend() }
            #expect(krylov.steps > 8 && krylov.steps < n, "\(krylov.steps) steps")
            let rows = try krylov.vectors()
            for i in 0..<krylov.steps {
                for j in 0...i {
                    let product = dot(Array(rows[n * i..<n * i + n]), Array(rows[n * j..<n * j + n]))
                    let error = abs(product - (i == j ? 1 : 0))
                    #expect(error < target.tolerance(3e-6, 1e-14), "vectors \(i) and \(j): \(error)")
                }
            }
        }

        @Test(arguments: TestDevices.targets)
        func anOperatorThatGivesNaNIsAnError(_ target: Target) throws {
            let matrix = try target.diagonal([1, .nan, 2])
            #expect(throws: BackendError.self) { try Eigenpairs.largest(1, of: matrix) }
        }
    }
}

extension Krylov {
    /// The Lanczos vectors of all steps, row by row.
    func vectors() throws -> [Double] {
        let space = basis.space
        return try (0..<steps).flatMap { step in
            var row = try space.vector(), other = try space.vector()
            try basis.add((0..<steps).map { $0 == step ? 1 : 0 }, to: &row, &other)
            return try space.backend.download(row.all)
        }
    }
}
