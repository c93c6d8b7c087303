import Backend
import Foundation
import Graph
import TestSupport
import Testing

/// Elementwise functions are within 4 units in the last place of the exact value, on every device.
@Suite(.serialized) struct FunctionAccuracyTests {
    /// Arguments where a function is neither infinite nor below the smallest normal number.
    private static func range(_ function: Function) -> ClosedRange<Double> {
        switch function {
        case .exp: -80...80
        case .log, .sqrt, .rsqrt, .reciprocal: 1e-30...1e30
        case .sin, .cos: -100...100
        case .tanh, .erf: -6...6
        case .sigmoid: -80...80
        case .softplus: -80...80
        case .hold: -1e30...1e30
        }
    }

    private static func exact(_ function: Function, _ x: Double) -> Double {
        switch function {
        case .exp: exp(x)
        case .log: log(x)
        case .sin: sin(x)
        case .cos: cos(x)
        case .tanh: tanh(x)
        case .sigmoid: x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
        case .softplus: Swift.max(x, 0) + log1p(exp(-abs(x)))
        case .erf: erf(x)
        case .sqrt: x.squareRoot()
        case .rsqrt: 1 / x.squareRoot()
        case .reciprocal: 1 / x
        case .hold: x
        }
    }

    /// Evenly spread arguments, and as many that approach zero.
    private static func arguments(_ function: Function, _ target: Target) -> [Double] {
        let range = range(function)
        let values = (0..<4000).flatMap { i -> [Double] in
            let t = Double(i) / 3999
            let even = range.lowerBound + (range.upperBound - range.lowerBound) * t
            let small = pow(10, -20 * t) * (i % 2 == 0 || range.lowerBound > 0 ? 1 : -1)
            return [even, small]
        }.filter(range.contains)
        return target.precision == .float64 ? values : values.map { Double(Float($0)) }
    }

    @Test(arguments: TestDevices.targets)
    func withinFourUnits(_ target: Target) throws {
        for function in Function.allCases {
            let values = Self.arguments(function, target)
            let program = Program.trace { [("y", $0.input("x", [values.count]).apply(function))] }
            let found = try target.run(program, ["x": values])[0]
            var worst = (error: 0.0, at: 0.0)
            for (x, y) in zip(values, found) {
                let exact = Self.exact(function, x)
                // Near its zeros a trigonometric function cannot be better than its argument.
                let isNearZero = (function == .sin || function == .cos) && abs(exact) < 1e-2 && abs(x) > 1
                let scale = isNearZero ? 1e-2 : Swift.max(abs(exact), Double(Float.leastNormalMagnitude))
                let unit = target.precision == .float32 ? Double(Float(scale).ulp) : scale.ulp
                let error = abs(y - exact) / unit
                if !(error <= worst.error) { worst = (error, x) }
            }
            #expect(worst.error <= 4, "\(function.rawValue): \(worst.error) ulp at \(worst.at)")
        }
    }

    @Test(arguments: TestDevices.targets)
    func specialValues(_ target: Target) throws {
        let values: [Double] = [.nan, .infinity, -.infinity, 0]
        let expected: [Function: [Double]] = [
            .exp: [.nan, .infinity, 0, 1], .log: [.nan, .infinity, .nan, -.infinity],
            .tanh: [.nan, 1, -1, 0], .sigmoid: [.nan, 1, 0, 0.5],
            .softplus: [.nan, .infinity, 0, log(2)], .erf: [.nan, 1, -1, 0],
            .sqrt: [.nan, .infinity, .nan, 0], .reciprocal: [.nan, 0, 0, .infinity],
        ]
        for (function, expected) in expected {
            // A whole vector of each, so that vector code meets them too.
            let repeated = values.flatMap { [Double](repeating: $0, count: 32) }
            let program = Program.trace { [("y", $0.input("x", [repeated.count]).apply(function))] }
            let found = try target.run(program, ["x": repeated])[0]
            for (index, value) in found.enumerated() {
                let wanted = expected[index / 32]
                let isRight =
                    wanted.isNaN
                    ? value.isNaN : value == wanted || abs(value - wanted) <= 1e-6 * Swift.max(1, abs(wanted))
                #expect(isRight, "\(function.rawValue) of \(repeated[index]): \(value)")
            }
        }
    }
}
