/// The value of a constant node.
public enum Literal: Hashable, Sendable {
    /// Every element has this value.
    case fill(Double)
    /// All elements in row-major order; for short tables such as per-channel means.
    case table([Double])
}

/// The closed set of operations from which every program is made.
///
/// Where a result's extents cannot be had from the operands (`reshape`, `broadcast`, the reductions, `slice`,
/// `pad`, `scatterAdd`, `dgrad`, `wgrad`) they are those of the node itself.
public enum Primitive: Hashable, Sendable {
    /// A tensor given from outside, by name.
    case input(String)
    /// A tensor known while tracing.
    case constant(Literal)
    /// Elementwise sum of two tensors of one shape.
    case add
    /// Elementwise product of two tensors of one shape.
    case mul
    /// `select(c, a, b)`: `a` where `c` is not zero, else `b`. Linear in `a` and `b`; no slope in `c`.
    case select
    /// 1 where the first operand is greater than the second, else 0. Its slope is zero everywhere.
    case greater
    /// One of the functions of the table, applied to every element.
    case elementwise(Function)
    /// The same elements in the same order under another shape.
    case reshape
    /// Axes reordered: axis `i` of the result is axis `order[i]` of the operand.
    case permute([Int])
    /// Axes of extent 1 repeated to the extents of the node.
    case broadcast
    /// Sum over the axes that have extent 1 in the node.
    case reduceSum
    /// Greatest element over the axes that have extent 1 in the node; ties share the slope equally.
    case reduceMax
    /// Every `steps[i]`-th element of axis `i`, beginning at `starts[i]`.
    case slice(starts: [Int], steps: [Int])
    /// The transpose of `slice`: element `j` of axis `i` lands at `starts[i] + j·steps[i]`, zeros elsewhere.
    case pad(starts: [Int], steps: [Int])
    /// `gather(x, k)`: slices `x[…, k[j], …]` along an axis; an index outside the axis reads zero.
    case gather(axis: Int)
    /// The transpose of `gather`: adds slice `j` at `k[j]`; an index outside the axis is dropped.
    case scatterAdd(axis: Int)
    /// Batched matrix product over the last two axes; leading axes agree.
    case matmul(transposeA: Bool, transposeB: Bool)
    /// `conv(x, w)`: images `[N, C, H, W]` and filters `[F, C/groups, kh, kw]` to `[N, F, H', W']`.
    case conv(Window)
    /// `dgrad(y, w)`: the derivative of ⟨y, conv(x, w)⟩ in `x`.
    case dgrad(Window)
    /// `wgrad(x, y)`: the derivative of ⟨y, conv(x, w)⟩ in `w`.
    case wgrad(Window)

    /// The name without its payload; one row of the table of cases exists for each.
    public var name: String {
        switch self {
        case .input: "input"
        case .constant: "constant"
        case .add: "add"
        case .mul: "mul"
        case .select: "select"
        case .greater: "greater"
        case .elementwise(let function): function.rawValue
        case .reshape: "reshape"
        case .permute: "permute"
        case .broadcast: "broadcast"
        case .reduceSum: "reduceSum"
        case .reduceMax: "reduceMax"
        case .slice: "slice"
        case .pad: "pad"
        case .gather: "gather"
        case .scatterAdd: "scatterAdd"
        case .matmul: "matmul"
        case .conv: "conv"
        case .dgrad: "dgrad"
        case .wgrad: "wgrad"
        }
    }

    /// The names of all primitives, functions of the table included.
    public static var allNames: [String] {
        [
            "input", "constant", "add", "mul", "select", "greater", "reshape", "permute", "broadcast",
            "reduceSum", "reduceMax", "slice", "pad", "gather", "scatterAdd", "matmul", "conv", "dgrad",
            "wgrad",
        ] + Function.allCases.map(\.rawValue)
    }

    /// Number of operands.
    public var arity: Int {
        switch self {
        case .input, .constant: 0
        case .elementwise, .reshape, .permute, .broadcast, .reduceSum, .reduceMax, .slice, .pad: 1
        case .add, .mul, .greater, .gather, .scatterAdd, .matmul, .conv, .dgrad, .wgrad: 2
        case .select: 3
        }
    }

    /// Whether each element of the result depends only on the same element of each operand.
    public var isElementwise: Bool {
        switch self {
        case .add, .mul, .select, .greater, .elementwise: true
        default: false
        }
    }
}
