import Analysis
import Backend
import TestSupport
import Testing

/// Alignment of kernels with targets.
@Suite struct TargetAlignmentTests {
    /// A constant kernel is nothing once it is centred: no number is made of what rounding leaves.
    @Test func constantKernels() {
        var alignment = TargetAlignment()
        alignment.add(
            [Double](repeating: 0.1, count: 49), 7, targets: [1, -1, 1, -1, 1, -1, 0], columns: 1,
            centredIn: 1)
        #expect(alignment.value == nil)
    }

    /// Modes of eigenvalue zero at the end of time have the limit of t/N.
    @Test func modesThatNeverMove() {
        #expect(SpectralFilter.flow(time: .infinity).gain(0, samples: 4) == .infinity)
        #expect(SpectralFilter.flow(time: 8).gain(0, samples: 4) == 2)
    }

    /// A positive semi-definite matrix.
    private func kernel(_ n: Int, seed: UInt64) -> [Double] {
        let a = symmetric(n, seed: seed)
        return HostLinearAlgebra.product(a, a, n, n, n)
    }

    @Test func labelsThatAreTheTopEigenvector() throws {
        let n = 9
        let matrix = kernel(n, seed: 1)
        let spectrum = try KernelSpectrum(matrix, n, epsilon: 0)
        let layout = KernelTargets(.mean, samples: n, outputs: 1)
        let top = LabelShares([spectrum], layout, values: spectrum.vector(0).map { 3 * $0 })
        #expect(abs(top.total[0] - 1) < 1e-14 && top.modes(holding: 0.9) == 1)
        let last = LabelShares([spectrum], layout, values: spectrum.vector(n - 1))
        #expect(abs(last.total[n - 2]) < 1e-14 && abs(last.total[n - 1] - 1) < 1e-14)
        // Half in each of two modes.
        let both = zip(spectrum.vector(1), spectrum.vector(4)).map { $0 + $1 }
        let shares = LabelShares([spectrum], layout, values: both).total
        #expect(abs(shares[0]) < 1e-14 && abs(shares[1] - 0.5) < 1e-14 && abs(shares[4] - 1) < 1e-14)
        // A kernel of rank one is aligned with its own vector.
        let vector = spectrum.vector(0)
        let rankOne = HostLinearAlgebra.product(vector, vector, n, 1, n)
        var alignment = TargetAlignment()
        alignment.add(rankOne, n, targets: vector, columns: 1)
        #expect(abs((alignment.value ?? 0) - 1) < 1e-14)
    }

    /// Against the definition: matrices of all entries, centred by explicit products.
    @Test(arguments: [KernelKind.mean, .full, .diagonal])
    func againstTheDefinition(_ kind: KernelKind) {
        let (samples, outputs) = (6, 2)
        let layout = KernelTargets(kind, samples: samples, outputs: outputs)
        let n = layout.rows, groups = layout.groups
        var random = TestRandom(seed: 2)
        let values = random.values(samples * outputs)
        let projector = (0..<n * n).map { index -> Double in
            let (i, j) = (index / n, index % n)
            return (i == j ? 1 : 0) - (i % groups == j % groups ? 1 / Double(samples) : 0)
        }
        func sandwich(_ a: [Double]) -> [Double] {
            HostLinearAlgebra.product(
                HostLinearAlgebra.product(projector, a, n, n, n), projector, n, n, n)
        }
        var (plain, centred) = (TargetAlignment(), TargetAlignment())
        var sums = [[Double]](repeating: [0, 0, 0], count: 2)
        for plane in 0..<layout.planes {
            let matrix = kernel(n, seed: UInt64(3 + plane))
            let y = layout.columns(of: values, plane: plane)
            plain.add(matrix, n, targets: y, columns: layout.columns)
            centred.add(
                matrix, n, targets: layout.columns(of: layout.centred(values), plane: plane),
                columns: layout.columns, centredIn: groups)
            let outer = HostLinearAlgebra.product(y, y, n, layout.columns, n, transposeB: true)
            for (row, pair) in [(matrix, outer), (sandwich(matrix), sandwich(outer))].enumerated() {
                sums[row][0] += dot(pair.0, pair.1)
                sums[row][1] += dot(pair.0, pair.0)
                sums[row][2] += dot(pair.1, pair.1)
            }
        }
        for (found, sum) in zip([plain.value, centred.value], sums) {
            #expect(abs((found ?? .nan) - sum[0] / (sum[1] * sum[2]).squareRoot()) < 1e-13)
        }
    }

    @Test func constantTargetsHaveNoAlignment() throws {
        let matrix = kernel(4, seed: 5)
        let layout = KernelTargets(.mean, samples: 4, outputs: 2)
        let centred = layout.centred([1, 2, 1, 2, 1, 2, 1, 2])
        #expect(centred == [Double](repeating: 0, count: 8))
        var alignment = TargetAlignment()
        alignment.add(matrix, 4, targets: centred, columns: 2, centredIn: 1)
        #expect(alignment.value == nil)
        let shares = LabelShares([try KernelSpectrum(matrix, 4, epsilon: 0)], layout, values: centred)
        #expect(shares.total.allSatisfy(\.isNaN) && shares.modes(holding: 0.5) == nil)
    }

    /// Shares of every output, in the three arrangements of one problem: a full kernel that is `K ⊗ I`.
    @Test func sharesInEveryArrangement() throws {
        let (n, outputs) = (5, 2)
        let matrix = kernel(n, seed: 6)
        var full = [Double](repeating: 0, count: n * n * 4)
        for i in 0..<n {
            for j in 0..<n {
                for o in 0..<2 { full[(i * 2 + o) * 2 * n + j * 2 + o] = matrix[i * n + j] }
            }
        }
        var random = TestRandom(seed: 7)
        let values = random.values(n * outputs)
        let one = try KernelSpectrum(matrix, n, epsilon: 0), two = try KernelSpectrum(full, 2 * n, epsilon: 0)
        let mean = LabelShares([one], KernelTargets(.mean, samples: n, outputs: 2), values: values)
        let diagonal = LabelShares(
            [one, one], KernelTargets(.diagonal, samples: n, outputs: 2), values: values)
        let whole = LabelShares([two], KernelTargets(.full, samples: n, outputs: 2), values: values)
        for k in 0..<n {
            #expect(abs(mean.total[k] - diagonal.total[k]) < 1e-13)
            #expect(abs(mean.total[k] - whole.total[2 * k + 1]) < 1e-13)
            for o in 0..<2 {
                #expect(abs(mean.perOutput[o][k] - diagonal.perOutput[o][k]) < 1e-13)
                #expect(abs(mean.perOutput[o][k] - whole.perOutput[o][2 * k + 1]) < 1e-13)
            }
        }
    }

    /// With a full kernel that mixes outputs, the total is that of one long vector.
    @Test func sharesOfAFullKernel() throws {
        let layout = KernelTargets(.full, samples: 4, outputs: 2)
        let spectrum = try KernelSpectrum(kernel(8, seed: 8), 8, epsilon: 0)
        var random = TestRandom(seed: 9)
        let values = random.values(8)
        let shares = LabelShares([spectrum], layout, values: values)
        var sum = 0.0
        for k in 0..<8 {
            let part = dot(spectrum.vector(k), values)
            sum += part * part
            #expect(abs(shares.total[k] - sum / dot(values, values)) < 1e-13)
        }
    }

    @Test func effectiveDimension() throws {
        let spectrum = try KernelSpectrum([3, 0, 0, 0, 1, 0, 0, 0, 0], 3, epsilon: 0)
        #expect(spectrum.rank == 2 && spectrum.effectiveDimension(ridge: 1) == 1.25)
        #expect(spectrum.effectiveDimension(ridge: 0) == 2 && spectrum.conditionNumber == .infinity)
        let grid = TrainingTimes.grid([spectrum], samples: 3, count: 3)
        let expected: [Double] = [0, 0.1, 3.0.squareRoot(), 30, .infinity]
        #expect(zip(grid, expected).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-13 }, "\(grid)")
        #expect(
            TrainingTimes.steps([spectrum], samples: 3, learningRate: 1, count: 3) == [0, 2, 30, .infinity])
        #expect(TrainingTimes.steps([spectrum], samples: 3, learningRate: 3, count: 3) == [0, 1, 10])
    }
}
