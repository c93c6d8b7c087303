import Foundation
import Graph

/// The Jacobian of a network by one pull-back per sample and output, on the interpreter: the slow truth.
struct Jacobian {
    private let problem: Problem
    private let program: Program
    private let tensors: [String: [Double]]

    init(_ problem: Problem) {
        self.problem = problem
        let network = problem.network
        program = network.forward(batchSize: 1).vjp(to: network.layout.entries.map(\.name))
        var tensors: [String: [Double]] = [:]
        for entry in network.layout.entries {
            tensors[entry.name] = Array(problem.weights.parameters[entry.range])
        }
        for entry in network.state.entries { tensors[entry.name] = Array(problem.weights.state[entry.range]) }
        self.tensors = tensors
    }

    private func run(_ x: [Double], _ output: Int) -> [[Double]] {
        var inputs = tensors
        inputs["x"] = x
        inputs["cotangent of logits"] = (0..<problem.network.outputs).map { $0 == output ? 1 : 0 }
        return Interpreter.run(program, inputs)
    }

    /// The gradient of every output at an input, in layout order.
    func rows(at x: [Double]) -> [[Double]] {
        (0..<problem.network.outputs).map { Array(run(x, $0).dropFirst().joined()) }
    }

    private func input(_ sample: Int) -> [Double] {
        let width = problem.network.input.count
        return Array(problem.inputs[sample * width..<(sample + 1) * width])
    }

    /// The gradient of every output at a sample.
    func rows(_ sample: Int) -> [[Double]] { rows(at: input(sample)) }

    /// The class probabilities of a sample.
    func softmax(_ sample: Int) -> [Double] {
        let scores = run(input(sample), 0)[0].map { exp($0) }
        return scores.map { $0 / scores.reduce(0, +) }
    }

    /// The full kernel between all samples and others, or themselves.
    func kernel(others: [Double]? = nil) -> [Double] {
        let width = problem.network.input.count
        let left = (0..<problem.count).flatMap { rows($0) }
        let right = others.map { others in
            (0..<others.count / width).flatMap { rows(at: Array(others[$0 * width..<($0 + 1) * width])) }
        }
        return left.flatMap { a in (right ?? left).map { zip(a, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
    }
}

/// The trace kernel of a full one.
func traced(_ full: [Double], outputs: Int, columns: Int) -> [Double] {
    let rows = full.count / (outputs * outputs * columns)
    return (0..<rows * columns).map { index in
        (0..<outputs).reduce(0) {
            $0
                + full[
                    ((index / columns) * outputs + $1) * columns * outputs + (index % columns) * outputs + $1]
        }
    }
}
