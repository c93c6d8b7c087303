import Graph

/// A program made ready for a device: steps in order, every buffer at a fixed place.
///
/// Unlike a `Program`, a plan cannot be differentiated.
public struct Plan: Sendable {
    /// Format of all buffers.
    public let precision: Precision
    /// What is run, in order.
    public let steps: [Step]
    /// What must be bound before a run, in the program's order.
    public let inputs: [Program.Port]
    /// What a run gives, in the program's order.
    public let outputs: [Program.Port]
    /// Constant tables, uploaded once when the plan is compiled.
    public let tables: [[Double]]
    /// Elements of the arena that holds all intermediate values.
    public let arenaCount: Int

    /// Bytes of the arena.
    public var arenaBytes: Int { arenaCount * precision.bytes }
    /// Bytes that exist on the device during a run: arena, tables, inputs and outputs.
    public var peakBytes: Int {
        let ports = inputs.reduce(0) { $0 + $1.shape.count } + outputs.reduce(0) { $0 + $1.shape.count }
        return arenaBytes + (ports + tables.reduce(0) { $0 + $1.count }) * precision.bytes
    }
    /// Floating-point operations of one run.
    public var flops: Int { steps.reduce(0) { $0 + $1.flops } }
    /// Bytes read and written by one run.
    public var bytesMoved: Int { steps.reduce(0) { $0 + $1.bytesMoved(precision) } }
}

/// A stretch of memory that a step reads or writes.
public struct Buffer: Hashable, Sendable {
    /// The memory it lies in.
    public enum Place: Hashable, Sendable {
        case arena
        case input(Int)
        case output(Int)
        case table(Int)
    }
    /// The memory it lies in.
    public var place: Place
    /// First element.
    public var offset: Int

    /// A buffer from its parts.
    public init(_ place: Place, offset: Int) { (self.place, self.offset) = (place, offset) }
}

/// One launch: a kernel, where its operands lie, and where the result goes.
public struct Step: Sendable {
    /// What is computed.
    public var kernel: Kernel
    /// Memory of the operands.
    public var operands: [Buffer]
    /// Memory of the result, which is contiguous.
    public var result: Buffer
    /// Elements of the result.
    public var count: Int
    /// Memory the kernel may use while it runs.
    public var scratch: Buffer?
    /// The nodes of the program that this step computes, as a program of its own: its inputs are called `0`,
    /// `1`, … in the order of the operands. It defines what the step means.
    public var meaning: Program

    /// Floating-point operations.
    public var flops: Int { meaning.flops }
    /// Bytes read and written; an element that a view repeats is read once.
    public func bytesMoved(_ precision: Precision) -> Int {
        let read =
            switch kernel {
            case .elementwise(let kernel):
                kernel.walk.strides.indices.reduce(0) { $0 + kernel.walk.distinct($1) }
            case .reduce(let kernel):
                kernel.kept.strides.indices.reduce(0) {
                    $0 + kernel.kept.distinct($1) * kernel.reduced.distinct($1)
                }
            default:
                meaning.inputs.enumerated().reduce(0) { total, input in
                    // Loads of an epilogue come after the two factors.
                    let isFactor = input.offset < 2 || kernel.epilogue == nil
                    return total
                        + (isFactor
                            ? input.element.shape.count : kernel.epilogue!.walk.distinct(input.offset - 1))
                }
            }
        return (read + count) * precision.bytes
    }
}

/// The kernels a backend provides. Extents and strides are in elements.
public enum Kernel: Sendable, Hashable {
    /// `result[i] = expression(operands…)`, every operand read through its own view.
    case elementwise(Elementwise)
    /// Sum or maximum over some axes of an elementwise chain.
    case reduce(Reduction)
    /// The operand spread into zeros.
    case pad(Padding)
    /// `result[o, j, i] = x[o, index[j], i]`, zero where the index is outside.
    case gather(Indexing)
    /// `result[o, index[j], i] += x[o, j, i]`, in the order of `j`.
    case scatterAdd(Indexing)
    /// Batched matrix product of contiguous operands.
    case matmul(MatrixProduct)
    /// One of the three partial derivatives of the convolution form.
    case convolution(Convolution)
}

extension Kernel {
    /// The epilogue of a product or convolution.
    public var epilogue: Elementwise? {
        switch self {
        case .matmul(let kernel): kernel.epilogue
        case .convolution(let kernel): kernel.epilogue
        default: nil
        }
    }
}

/// A fused elementwise step.
public struct Elementwise: Sendable, Hashable {
    /// Value of one element.
    public var expression: Expression
    /// Values of the expression's constants.
    public var constants: [Double]
    /// How the operands are walked; the result is contiguous.
    public var walk: Walk
    /// Number of elements of the result.
    public var count: Int { walk.dims.reduce(1, *) }
}

/// A reduction over some axes of an elementwise chain.
public struct Reduction: Sendable, Hashable {
    /// Which one.
    public enum Kind: Sendable, Hashable { case sum, max }
    /// Sum or maximum.
    public var kind: Kind
    /// Value of one term, and the values of its constants.
    public var expression: Expression, constants: [Double]
    /// Axes that stay, and the operands' strides along them.
    public var kept: Walk
    /// Axes that are reduced, and the operands' strides along them.
    public var reduced: Walk
    /// Number of results.
    public var count: Int { kept.dims.reduce(1, *) }
    /// Number of terms of each result.
    public var terms: Int { reduced.dims.reduce(1, *) }
    /// Whether the terms are the elements of one operand.
    public var isPlain: Bool { expression.terms == [.load(0)] }
}

/// A tensor spread into a larger one of zeros.
public struct Padding: Sendable, Hashable {
    /// Extents of the operand and of the result.
    public var part: [Int], whole: [Int]
    /// Where element 0 lands, and the step between neighbours, along each axis.
    public var starts: [Int], steps: [Int]
}

/// Slices along one axis chosen by an index vector.
public struct Indexing: Sendable, Hashable {
    /// Extents before, along and after the axis of the tensor that is indexed, and the number of indices.
    public var outer: Int, axis: Int, inner: Int, indices: Int
}

/// A batch of matrix products `m×k · k×n`.
public struct MatrixProduct: Sendable, Hashable {
    /// Extents.
    public var batches: Int, m: Int, n: Int, k: Int
    /// Whether an operand is stored transposed.
    public var transposeA: Bool, transposeB: Bool
    /// Whether both operands are one matrix and the product is its Gram matrix.
    public var isGram: Bool
    /// Whether the order of every sum depends on `k` alone.
    public var sumsInOrder = false
    /// What becomes of every element of the product, which is load 0; the step's operands from the third on are
    /// loads 1, 2, …
    public var epilogue: Elementwise?
}

/// Shapes of one of the convolution triple.
public struct Convolution: Sendable, Hashable {
    /// Which derivative of ⟨y, conv(x, w)⟩ is taken.
    public enum Role: Sendable, Hashable {
        /// In `y`: the convolution itself.
        case forward
        /// In `x`.
        case inputGradient
        /// In `w`.
        case filterGradient
    }
    /// Which one.
    public var role: Role
    /// Stride, padding and groups.
    public var window: Window
    /// Images `[N, C, H, W]`, filters `[F, C/groups, kh, kw]`, results `[N, F, H', W']`.
    public var x: Shape, w: Shape, y: Shape
    /// What becomes of every element of the result, as of a matrix product's.
    public var epilogue: Elementwise?
}
