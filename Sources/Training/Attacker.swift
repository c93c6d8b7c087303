import Backend
import Data
import Foundation
import Graph
import Models
import Planner

/// Runs an attack on batches of one size. Inputs stay in [0, 1].
public final class Attacker {
    /// The attack.
    public let attack: Attack
    private let backend: any Backend
    private let step: any Executable
    private let start: any Executable
    private let batch: Int, perSample: Int
    private let noise: DeviceArray
    private let turns: [DeviceArray]

    /// Prepares an attack on the given loss of a network in evaluation mode.
    public init(
        _ attack: Attack, _ network: Network, _ loss: Loss, batchSize: Int, on backend: any Backend,
        _ precision: Precision
    ) throws(BackendError) {
        (self.attack, self.backend, batch, perSample) = (attack, backend, batchSize, network.input.count)
        let shape = Shape([batchSize] + network.input.dims)
        step = try backend.compile(Self.stepProgram(attack, network, loss, shape), precision)
        start = try backend.compile(
            .trace { t in
                let moved = t.input("clean", shape) + t.input("noise", shape)
                return [("y", moved.clamped(moved.filled(0), moved.filled(1)))]
            }, precision)
        noise = try backend.allocate(shape.count, precision)
        turns = [try backend.allocate(shape.count, precision), try backend.allocate(shape.count, precision)]
    }

    private static func stepProgram(_ attack: Attack, _ network: Network, _ loss: Loss, _ shape: Shape)
        -> Program
    {
        .trace { t in
            network.declareTensors(in: t)
            let clean = t.input("clean", shape), x = t.input("x", shape)
            let logits = network.apply(x, .evaluation).logits
            // The sum over samples: each sample's gradient is its own.
            let total = loss.perSample(logits, t.input("targets", logits.shape)).sum()
            let gradient = t.vjp([(of: total, cotangent: total.filled(1))], to: [x])[0]
            let moved: Tensor
            switch attack.norm {
            case .linf:
                let stepped = x + gradient.sign() * attack.stepSize
                moved = stepped.clamped(clean + -attack.epsilon, clean + attack.epsilon)
            case .l2:
                // Scaled first: squares of a confident model's gradient vanish in float32.
                let scaled = gradient.dividedByLargest(Array(1..<shape.rank)).quotient
                let unit = scaled * inverseNorm(scaled).broadcast(to: shape)
                let offset = x + unit * attack.stepSize - clean
                let shrink = (inverseNorm(offset) * attack.epsilon).minimum(inverseNorm(offset).filled(1))
                moved = clean + offset * shrink.broadcast(to: shape)
            }
            return [("y", moved.clamped(moved.filled(0), moved.filled(1)))]
        }
    }

    /// 1/‖x‖ of every sample, and 1 where the norm is zero: such a gradient moves nothing.
    private static func inverseNorm(_ x: Tensor) -> Tensor {
        let squares = (x * x).sum(Array(1..<x.shape.rank))
        let isPositive = squares.greater(than: squares.filled(0))
        return isPositive.select(squares, else: squares.filled(1)).rsqrt()
    }

    /// Attacks one batch. `bound` gives the network's tensors and `targets`; the result lives until the next call.
    /// Random starts are drawn sample by sample, so they do not depend on the batch size.
    public func run(
        _ clean: DeviceSlice, bound: [String: DeviceSlice], random: inout RandomStream, samples: Int
    ) throws(BackendError) -> DeviceSlice {
        var bound = bound
        bound["clean"] = clean
        bound["noise"] = noise.all
        var current = clean
        var turn = 0
        func advance(_ executable: any Executable) throws(BackendError) {
            bound["x"] = current
            let target = turns[turn % 2].all
            try executable.run(inputs: executable.plan.inputs.map { bound[$0.name]! }, outputs: [target])
            current = target
            turn += 1
        }
        if attack.startsRandomly {
            try backend.write(draw(&random, samples: samples), to: noise.all)
            try advance(start)
        }
        for _ in 0..<attack.steps { try advance(step) }
        return current
    }

    /// Random points of the ball for the first `samples` samples, zeros for the others.
    private func draw(_ random: inout RandomStream, samples: Int) -> [Double] {
        var values: [Double] = []
        for _ in 0..<samples {
            switch attack.norm {
            case .linf:
                values += random.uniforms(perSample).map { (2 * $0 - 1) * attack.epsilon }
            case .l2:
                // Uniform in the ball's volume.
                let direction = random.normals(perSample)
                let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let radius = attack.epsilon * pow(random.uniform(), 1 / Double(perSample))
                values += direction.map { $0 / max(norm, .leastNormalMagnitude) * radius }
            }
        }
        return values + [Double](repeating: 0, count: (batch - samples) * perSample)
    }
}
