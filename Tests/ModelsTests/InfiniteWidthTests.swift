import Foundation
import Graph
import Models
import Testing

/// Kernels of infinite width against closed forms.
@Suite struct InfiniteWidthTests {
    /// Dense layers with ReLU between them, `σ_w = √2` and no bias.
    private func reluNetwork(depth: Int) throws -> InfiniteNetwork {
        let hidden = (0..<depth).flatMap { _ in [Dense(units: 4, hasBias: false), ReLU()] as [any Layer] }
        return try InfiniteNetwork(
            Network(input: [2], layers: hidden + [Dense(units: 1, hasBias: false)]),
            weightStd: 2.0.squareRoot())
    }

    @Test(arguments: [
        (0.0, [0.318309886184, 0.685708636283, 1.0603881068]),
        (0.5, [0.942331114378, 1.35147956112, 1.73784467922]),
        (1.0, [2, 3, 4]),
    ])
    func arcCosineKernels(_ cosine: Double, _ expected: [Double]) throws {
        // |x|²·σ_w²/d = 1.
        let y = [cosine, (1 - cosine * cosine).squareRoot()]
        for depth in 1...3 {
            let ntk = try reluNetwork(depth: depth).kernels([1, 0], y).ntk[0]
            #expect(abs(ntk - expected[depth - 1]) < 1e-10)
        }
    }

    @Test func linearNetworks() throws {
        // L layers of σ_w: NNGP σ_w^2L·k, NTK L times that.
        let layers = (0..<3).map { _ in Dense(units: 3, hasBias: false) }
        let limit = try InfiniteNetwork(Network(input: [3], layers: layers), weightStd: 1.5)
        let kernels = limit.kernels([1, 2, 3, -1, 0, 2])
        let weight = 1.5 * 1.5 * 1.5 * 1.5 * 1.5 * 1.5
        let inner = [14.0, 5, 5, 5].map { $0 / 3 * weight }
        for (index, value) in inner.enumerated() {
            #expect(abs(kernels.nngp[index] - value) < 1e-12 * 60)
            #expect(abs(kernels.ntk[index] - 3 * value) < 1e-12 * 180)
        }
    }

    /// `E[erf(u)·erf(v)]` and `E[erf'(u)·erf'(v)]` against sums over a grid.
    @Test func arcSineKernel() throws {
        let limit = try InfiniteNetwork(
            Network(
                input: [2], layers: [Dense(units: 4, hasBias: false), Erf(), Dense(units: 1, hasBias: false)]),
            weightStd: 1)
        let (x, y) = ([1.2, 0.4], [0.3, -1.5])
        func inner(_ a: [Double], _ b: [Double]) -> Double { (a[0] * b[0] + a[1] * b[1]) / 2 }
        let (a, b, c) = (inner(x, x), inner(y, y), inner(x, y))
        // u = √a·s, v = c/√a·s + √(b − c²/a)·t with independent normal s, t.
        var value = 0.0, slope = 0.0
        let step = 0.05
        for i in -160...160 {
            for j in -160...160 {
                let (s, t) = (Double(i) * step, Double(j) * step)
                let u = a.squareRoot() * s, v = c / a.squareRoot() * s + (b - c * c / a).squareRoot() * t
                let weight = exp(-(s * s + t * t) / 2) / (2 * .pi) * step * step
                value += weight * erf(u) * erf(v)
                slope += weight * 4 / .pi * exp(-u * u - v * v)
            }
        }
        let kernels = limit.kernels(x, y)
        #expect(abs(kernels.nngp[0] - value) < 1e-9)
        #expect(abs(kernels.ntk[0] - (value + slope * c)) < 1e-9)
    }

    /// A 1×1 image is a dense network, and a kernel of one pixel on many pixels is one on each.
    @Test func convolutionsOfOnePixelAreDense() throws {
        let dense = try InfiniteNetwork(
            Network(input: [2], layers: [Dense(units: 4), ReLU(), Dense(units: 1)]), weightStd: 1.3,
            biasStd: 0.4)
        for ending in [[Flatten()], [GlobalAveragePool()]] as [[any Layer]] {
            let conv = try InfiniteNetwork(
                Network(
                    input: [2, 1, 1],
                    layers: [Conv(filters: 4, kernel: 1), ReLU()] + ending + [Dense(units: 1)]),
                weightStd: 1.3, biasStd: 0.4)
            let x = [0.3, -1, 0.8, 0.2, 1, 1.5]
            let (a, b) = (dense.kernels(x), conv.kernels(x))
            for (a, b) in zip(a.nngp + a.ntk, b.nngp + b.ntk) { #expect(abs(a - b) < 1e-13) }
        }
    }

    /// A linear convolutional network by hand: 3 pixels in a row, a kernel of 3 with padding, pooled or flattened.
    @Test func patchesAndPooling() throws {
        func limit(_ ending: any Layer) throws -> InfiniteNetwork {
            try InfiniteNetwork(
                Network(
                    input: [1, 1, 3],
                    layers: [
                        Conv(filters: 4, kernel: (1, 3), padding: (0, 1), hasBias: false), ending,
                        Dense(units: 1, hasBias: false),
                    ]), weightStd: 1)
        }
        let (x, y) = ([1.0, 2, 3], [4.0, -1, 2])
        // Patches of x: (0,1,2) (1,2,3) (2,3,0); of y: (0,4,-1) (4,-1,2) (-1,2,0). NTK of two linear layers: twice.
        let patchesX: [[Double]] = [[0, 1, 2], [1, 2, 3], [2, 3, 0]],
            patchesY: [[Double]] = [[0, 4, -1], [4, -1, 2], [-1, 2, 0]]
        func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / 3 }
        let flat = zip(patchesX, patchesY).reduce(0) { $0 + inner($1.0, $1.1) } / 3
        let pooled = patchesX.reduce(0) { sum, p in patchesY.reduce(sum) { $0 + inner(p, $1) } } / 9
        let flattened = try limit(Flatten()).kernels(x, y),
            pool = try limit(GlobalAveragePool()).kernels(x, y)
        #expect(abs(flattened.nngp[0] - flat) < 1e-13 && abs(flattened.ntk[0] - 2 * flat) < 1e-13)
        #expect(abs(pool.nngp[0] - pooled) < 1e-13 && abs(pool.ntk[0] - 2 * pooled) < 1e-13)
    }

    /// Flattening before or after an activation is the same network.
    @Test func flatteningCommutesWithActivations() throws {
        func kernels(_ middle: [any Layer]) throws -> [Double] {
            let x = (0..<18).map { sin(Double($0)) }
            let limit = try InfiniteNetwork(
                Network(
                    input: [1, 3, 3], layers: [Conv(filters: 4, kernel: 2)] + middle + [Dense(units: 1)]),
                weightStd: 1.4, biasStd: 0.3)
            let found = limit.kernels(x)
            return found.nngp + found.ntk
        }
        let (before, after) = (try kernels([Flatten(), ReLU()]), try kernels([ReLU(), Flatten()]))
        #expect(before == after)
    }

    /// Two independent dense branches with σ_w = 1 are one dense layer with σ_w = √2, after flattening too.
    @Test func branchesAfterFlattening() throws {
        func kernels(_ middle: String) throws -> [Double] {
            let dense = "bias: false, parametrization: ntk, weight-std"
            let text = """
                input: [1, 3, 3]
                layers:
                  - conv: {filters: 4, kernel: 2, bias: false, parametrization: ntk}
                  - relu
                  - flatten
                  - \(middle.replacingOccurrences(of: "DENSE", with: "dense: {units: 5, \(dense)"))
                  - relu
                  - dense: {units: 1, \(dense): 1}
                """
            let found = try InfiniteNetwork(ModelFile.parse(text, file: "m.yaml"))
                .kernels((0..<18).map { cos(Double($0)) })
            return found.nngp + found.ntk
        }
        let branches = try kernels("residual: {body: [DENSE: 1}], shortcut: [DENSE: 1}]}")
        let one = try kernels("DENSE: 1.4142135623730951}")
        for (a, b) in zip(branches, one) { #expect(abs(a - b) < 1e-13) }
    }

    /// What is no Gaussian process has no moments that are known here.
    @Test(
        arguments: [
            [Dense(units: 4), ReLU(), ReLU(), Dense(units: 1)], [ReLU(), Dense(units: 1)],
            [Dense(units: 4), ReLU(), Residual(body: [Dense(units: 4)]), ReLU(), Dense(units: 1)],
            [Dense(units: 4), Residual(body: [ReLU()]), Dense(units: 1)],
        ] as [[any Layer]])
    func activationsOfOtherValuesAreRefused(_ layers: [any Layer]) throws {
        #expect(throws: ModelError.self) { try InfiniteNetwork(Network(input: [4], layers: layers)) }
    }

    @Test func otherLayersAreRefused() throws {
        #expect(throws: ModelError.self) {
            try InfiniteNetwork(Network(input: [4], layers: [Dense(units: 3), GELU(), Dense(units: 2)]))
        }
        #expect(throws: ModelError.self) {
            try InfiniteNetwork(Network(input: [4], layers: [Dense(units: 3), ReLU()]))
        }
    }
}
