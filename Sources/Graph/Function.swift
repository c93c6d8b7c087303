import Glibc

/// Elementwise functions of one variable. A new one is a case with its row here and a loop in `CKernels`.
public enum Function: String, CaseIterable, Hashable, Sendable {
    case exp, log, sin, cos, tanh, sigmoid, softplus, erf, sqrt, rsqrt, reciprocal
    /// The identity whose slope counts as zero: for shifts that cancel out, and for held-fixed inputs.
    case hold

    /// What a function is: its float64 value, its slope, its OpenCL C text and where it may be tested.
    public struct Rule: Sendable {
        /// The defining float64 value.
        public let value: @Sendable (Double) -> Double
        /// The slope as a tensor expression of the argument `x` and the result `y`.
        public let slope: @Sendable (_ x: Tensor, _ y: Tensor) -> Tensor
        /// The value as an expression of `x` in OpenCL C, where `VALUE` is its type: a number or a vector.
        public let source: String
        /// An interval on which the function and its first three derivatives are moderate.
        public let domain: ClosedRange<Double>
    }

    /// The row of this function.
    public var rule: Rule {
        switch self {
        case .exp:
            Rule(value: { LibM.exp($0) }, slope: { $1 }, source: "exp(x)", domain: -2...2)
        case .log:
            Rule(
                value: { LibM.log($0) }, slope: { x, _ in x.reciprocal() }, source: "log(x)", domain: 0.5...3)
        case .sin:
            Rule(value: { LibM.sin($0) }, slope: { x, _ in x.cos() }, source: "sin(x)", domain: -3...3)
        case .cos:
            Rule(value: { LibM.cos($0) }, slope: { x, _ in x.sin() * -1 }, source: "cos(x)", domain: -3...3)
        case .tanh:
            Rule(value: { LibM.tanh($0) }, slope: { $1 * $1 * -1 + 1 }, source: "tanh(x)", domain: -2...2)
        case .sigmoid:
            Rule(
                value: { $0 >= 0 ? 1 / (1 + LibM.exp(-$0)) : LibM.exp($0) / (1 + LibM.exp($0)) },
                slope: { $1 * ($1 * -1 + 1) },
                // exp(-|x|) never overflows; the branch keeps full relative accuracy on the left.
                source: "(x >= 0 ? (VALUE)1 : exp(x)) / ((VALUE)1 + exp(-fabs(x)))",
                domain: -3...3)
        case .softplus:
            Rule(
                value: { ($0 > 0 ? $0 : 0) + LibM.log1p(LibM.exp(-abs($0))) },
                slope: { x, _ in x.sigmoid() },
                source: "fmax(x, (VALUE)0) + log1p(exp(-fabs(x)))", domain: -3...3)
        case .erf:
            Rule(
                value: { LibM.erf($0) },
                slope: { x, _ in (x * x * -1).exp() * 1.1283791670955126 },
                source: "erf(x)", domain: -2...2)
        case .sqrt:
            Rule(
                value: { $0.squareRoot() }, slope: { x, _ in x.rsqrt() * 0.5 }, source: "sqrt(x)",
                domain: 0.5...3)
        case .rsqrt:
            Rule(
                value: { 1 / $0.squareRoot() }, slope: { $1 * $1 * $1 * -0.5 },
                source: "((VALUE)1 / sqrt(x))", domain: 0.5...3)
        case .reciprocal:
            Rule(value: { 1 / $0 }, slope: { $1 * $1 * -1 }, source: "((VALUE)1 / x)", domain: 0.5...3)
        case .hold:
            Rule(value: { $0 }, slope: { x, _ in x.filled(0) }, source: "x", domain: -2...2)
        }
    }
}

/// The C library's functions, out of the way of the cases of the same names.
private enum LibM {
    static let exp: @Sendable (Double) -> Double = { Glibc.exp($0) }
    static let log: @Sendable (Double) -> Double = { Glibc.log($0) }
    static let log1p: @Sendable (Double) -> Double = { Glibc.log1p($0) }
    static let sin: @Sendable (Double) -> Double = { Glibc.sin($0) }
    static let cos: @Sendable (Double) -> Double = { Glibc.cos($0) }
    static let tanh: @Sendable (Double) -> Double = { Glibc.tanh($0) }
    static let erf: @Sendable (Double) -> Double = { Glibc.erf($0) }
}
