import Graph

/// A fused chain of elementwise operations: the value of one element of the result, as a list of terms that
/// refer to earlier ones. The last term is the result.
public struct Expression: Hashable, Sendable {
    /// One operation of the chain; numbers are indices of earlier terms.
    public enum Term: Hashable, Sendable {
        /// The element of operand `n` that belongs to this element of the result.
        case load(Int)
        /// Number `n` of the step's constants. Values are arguments, so they never make a new kernel.
        case constant(Int)
        case add(Int, Int)
        case mul(Int, Int)
        case greater(Int, Int)
        case select(Int, Int, Int)
        case function(Function, Int)

        /// Earlier terms that this one reads.
        public var operands: [Int] {
            switch self {
            case .load, .constant: []
            case .add(let a, let b), .mul(let a, let b), .greater(let a, let b): [a, b]
            case .select(let a, let b, let c): [a, b, c]
            case .function(_, let a): [a]
            }
        }
    }

    /// All terms.
    public private(set) var terms: [Term] = []

    /// An empty chain, to be filled by `append`.
    public init() {}

    /// Adds a term, or finds the equal one, and returns its index.
    public mutating func append(_ term: Term) -> Int {
        if let index = terms.firstIndex(of: term) { return index }
        terms.append(term)
        return terms.count - 1
    }

    /// Floating-point operations for one element.
    public var flops: Int {
        terms.reduce(0) { total, term in
            switch term {
            case .load, .constant: total
            default: total + 1
            }
        }
    }
}
