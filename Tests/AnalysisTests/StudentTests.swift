import Analysis
import Foundation
import Testing

/// Student's t distribution against closed forms and tables.
@Suite struct StudentTests {
    private func close(_ found: Double, _ expected: Double, _ tolerance: Double = 1e-11) -> Bool {
        abs(found - expected) <= tolerance * abs(expected)
    }

    @Test(arguments: [1e-9, 1e-4, 0.025, 0.2, 0.4999, 0.5, 0.6, 0.9, 0.975, 0.9995])
    func closedForms(_ p: Double) {
        // Cauchy for one degree of freedom, an algebraic distribution for two, the normal one for infinitely many.
        #expect(close(StudentT(degreesOfFreedom: 1).quantile(p), -1 / tan(.pi * p), 1e-10) || p == 0.5)
        let two = StudentT(degreesOfFreedom: 2)
        #expect(close(two.quantile(p), (2 * p - 1) / (2 * p * (1 - p)).squareRoot(), 1e-10))
        let normal = StudentT(degreesOfFreedom: .infinity)
        #expect(close(normal.upperTail(normal.quantile(p)), 1 - p))
        for v in [0.5, 3, 15, 511, 1e5, 3e7] {
            let t = StudentT(degreesOfFreedom: v)
            #expect(close(t.upperTail(t.quantile(p)), 1 - p, 1e-9), "\(v)")
            #expect(t.quantile(p) == -t.quantile(1 - p) || !close(1 - (1 - p), p, 0), "\(v)")
        }
    }

    @Test func table() {
        let table: [(Double, Double, Double)] = [
            (3, 0.995, 5.840909309733355), (4, 0.975, 2.7764451051977934), (5, 0.975, 2.5705818356363146),
            (10, 0.975, 2.228138851986274), (15, 0.975, 2.131449545559776), (30, 0.9, 1.3104150253913955),
            (100, 0.975, 1.9839715185235518), (255, 0.975, 1.9693105698498752),
            (511, 0.9995, 3.309667780057021), (1e6, 0.975, 1.959966356814107),
            (0.5, 0.9, 10.27032441023451), (.infinity, 0.975, 1.959963984540054),
        ]
        for (v, p, expected) in table {
            let found = StudentT(degreesOfFreedom: v).quantile(p)
            #expect(close(found, expected, v == 1e6 ? 1e-9 : 1e-11), "ν = \(v), p = \(p): \(found)")
        }
        #expect(close(StudentT(degreesOfFreedom: 15).intervalFactor(), 2.131449545559776))
        #expect(StudentT(degreesOfFreedom: 4).upperTail(.infinity) == 0)
    }

    @Test func intervalsOfMeans() {
        // Mean 3, standard deviation 1 of three samples: 3 ± 4.30265/√3.
        let (lower, upper) = MeanEstimate([2, 3, 4]).interval()
        #expect(close(upper - 3, 4.302652729911275 / 3.0.squareRoot(), 1e-10))
        #expect(close(3 - lower, 4.302652729911275 / 3.0.squareRoot(), 1e-10))
        #expect(MeanEstimate([2]).interval().lower.isNaN)
    }
}
