import Analysis
import TestSupport
import Testing

extension OnDevices {
    /// Kernels from random features, and their error bars.
    @Suite struct ProjectedKernelTests {
        private static let kinds: [KernelKind] = [.full, .trace, .mean, .pseudo]

        /// Features `[n, o, k]` of random numbers.
        private func features(_ n: Int, _ o: Int, _ k: Int) -> [Double] {
            var random = TestRandom(seed: UInt64(n))
            return random.values(n * o * k)
        }

        /// Every entry is the mean over parts of single pairs of samples, and symmetric bit for bit.
        @Test(arguments: TestDevices.exactTargets)
        func againstSinglePairs(_ target: Target) throws {
            let backend = try target.open()
            for projection in projections + [
                RandomProjection(.sparse, dimensions: 4096, blocks: 2048, seed: 0)
            ] {
                for kind in Self.kinds {
                    let o = kind == .pseudo ? 1 : 2, k = projection.dimensions, n = k > 48 ? 49 : 5
                    let values = features(n, o, k)
                    let kernel = ProjectedKernel(projection, outputs: 2, kind: kind, on: backend)
                    let found = try kernel.entries(values, values)
                    let rows = n * kernel.rowsPerSample, terms = kind == .full ? 1 : o
                    if n == 49 { #expect(kernel.tile < 49) }
                    #expect(found.estimates.count == rows * rows)
                    #expect(found.degreesOfFreedom == projection.parts - 1)
                    func row(_ index: Int) -> [Double] {
                        Array(values[index * terms * k..<(index + 1) * terms * k])
                    }
                    let share = kind == .mean ? 0.5 : 1
                    for i in 0..<rows {
                        for j in 0...i where n < 49 || j % 16 == 0 {
                            let expected = projection.estimate(row(i), row(j)), index = i * rows + j
                            let scale = max(1, abs(expected.mean))
                            #expect(abs(found.estimates[index] - expected.mean * share) < 1e-12 * scale)
                            #expect(
                                abs(found.standardErrors[index] / expected.standardError / share - 1) < 1e-9)
                            #expect(found.estimates[index] == found.estimates[j * rows + i])
                            #expect(found.standardErrors[index] == found.standardErrors[j * rows + i])
                        }
                    }
                    let (lower, upper) = found.interval(1),
                        reach =
                            StudentT(
                                degreesOfFreedom: Double(projection.parts - 1)
                            ).intervalFactor() * found.standardErrors[1]
                    #expect(upper - found.estimates[1] == found.estimates[1] - lower || reach > 0)
                    #expect(abs((upper - lower) / (2 * reach) - 1) < 1e-12)
                }
            }
        }

        /// Squares of the distances of estimates from the exact kernel, in standard errors.
        private func squares(
            _ target: Target, _ model: ProjectionCase, _ projection: RandomProjection, _ exact: [[Double]],
            _ kinds: [KernelKind]
        ) throws -> [Double] {
            let features = try model.features(target, projection)
            let sums = try kinds.contains(.pseudo) ? model.features(target, projection, sums: true) : []
            let outputs = features.count / model.count / projection.dimensions
            let backend = try target.open()
            return try zip(kinds, exact).flatMap { kind, exact in
                let kernel = ProjectedKernel(projection, outputs: outputs, kind: kind, on: backend)
                let x = kind == .pseudo ? sums : features, found = try kernel.entries(x, x)
                return exact.indices.map { entry in
                    let z = (found.estimates[entry] - exact[entry]) / found.standardErrors[entry]
                    return z * z
                }
            }
        }

        /// The exact kernel lies within five error bars everywhere, and the mean square distance is one error bar.
        @Test(arguments: TestDevices.targets)
        func exactKernelsWithinErrors(_ target: Target) throws {
            // Many seeds once: other devices compute the same features.
            let seeds: UInt64 = target == Target("cpu", .float64) ? 12 : 1
            let distributions: [RandomProjection.Distribution] = [.rademacher, .gaussian, .sparse]
            let kinds: [KernelKind] = seeds > 1 ? [.full, .trace, .pseudo] : [.full]
            var all = [[Double]](repeating: [], count: 3)
            for (index, model) in try ProjectionCase.all().enumerated() {
                let exact = try kinds.map { try model.kernel(target, $0) }
                for (place, distribution) in distributions.enumerated() {
                    for seed in 0..<seeds {
                        let projection = RandomProjection(
                            distribution, dimensions: 256, blocks: 128, seed: seed)
                        let found = try squares(target, model, projection, exact, kinds)
                        let worst = (found.max() ?? .nan).squareRoot()
                        #expect(worst < 5, "model \(index), \(distribution), seed \(seed)")
                        all[place] += found
                    }
                }
            }
            for (place, distribution) in distributions.enumerated() where seeds > 1 {
                let rms = (all[place].reduce(0, +) / Double(all[place].count)).squareRoot()
                #expect((0.85...1.15).contains(rms), "\(distribution): \(rms)")
            }
        }
    }
}
