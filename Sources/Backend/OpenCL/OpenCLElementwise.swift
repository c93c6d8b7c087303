import Graph
import Planner

/// A fused chain. Its text is made from the expression and from how each operand is walked; extents, strides
/// and constants are read from the geometry, so they never make a new kernel.
///
/// Processors take one run along the innermost axis per work-item, so that the inner loop has no divisions, and
/// compute functions on vectors; elsewhere there is one element per work-item.
///
/// Geometry: number of elements, or of runs; then, if there are runs or some operand is strided, every axis's extent
/// with magic number and shift, and the strides of every strided operand, all outermost first.
struct OpenCLElementwise: OpenCLKernel {
    private let kernel: Elementwise
    private let target: OpenCLTarget

    init(_ kernel: Elementwise, _ target: OpenCLTarget) { (self.kernel, self.target) = (kernel, target) }

    func launches(_ memory: StepMemory) -> [Launch] {
        let replaced = memory.operands.indices.filter { memory.operands[$0] == memory.result }
        let text = ElementwiseText(
            kernel, hasRuns: !target.style.hasManyItems, inPlace: Set(replaced))
        let operands = memory.operands.indices.filter { !replaced.contains($0) }.map { memory.operands[$0] }
        let width = kernel.walk.dims[kernel.walk.dims.count - 1]
        let rows = kernel.count / max(1, width)
        var geometry = [text.hasRuns ? rows : kernel.count]
        if text.hasAxes {
            geometry += kernel.walk.dims.flatMap { target.divisor($0) }
            for (strides, pattern) in zip(kernel.walk.strides, text.patterns) where pattern == .strided {
                geometry += strides
            }
        }
        // Few long runs would leave most items of a group idle.
        let isGrouped = !text.hasRuns || rows >= 16 * target.style.reductionGroup
        let group = isGrouped ? (text.hasRuns ? target.style.reductionGroup : target.style.group) : 1
        let source = KernelSource(
            "elementwise", body: text.body, target, [("GROUP", group), ("V", target.lanes)])
        let pieces = (width + ElementwiseText.piece - 1) / ElementwiseText.piece
        return [
            Launch(
                source, operands + [memory.result], geometry: geometry, constants: kernel.constants,
                items: text.hasRuns ? [rows, pieces] : [kernel.count], group: [group])
        ]
    }
}

/// The OpenCL C text of a fused chain.
struct ElementwiseText {
    let patterns: [Walk.Pattern]
    /// Whether a work-item takes a run along the innermost axis.
    let hasRuns: Bool
    /// Operands whose place the result takes: they are read through the result.
    let inPlace: Set<Int>
    /// Most elements of one run.
    static let piece = 2048

    private let kernel: Elementwise

    init(_ kernel: Elementwise, hasRuns: Bool, inPlace: Set<Int> = []) {
        (self.kernel, self.inPlace) = (kernel, inPlace)
        patterns = kernel.walk.strides.indices.map { kernel.walk.pattern($0) }
        self.hasRuns = hasRuns
    }

    private var rank: Int { kernel.walk.dims.count }

    /// Whether the geometry lists the axes.
    var hasAxes: Bool { hasRuns || patterns.contains(.strided) }

    /// Whether most of a run is computed in vectors: compilers vectorise arithmetic by themselves, functions not.
    private var hasVectors: Bool {
        hasRuns
            && kernel.expression.terms.contains { if case .function = $0 { true } else { false } }
            && kernel.walk.strides.allSatisfy { $0[rank - 1] == 0 || $0[rank - 1] == 1 }
    }

    /// The kernel without its macros.
    var body: String {
        let (setup, loads) = hasRuns ? runs : items
        var text = Self.head + "void NAME(\(parameters)) {\n    y += y0;\n    g += g0;\n"
        if !kernel.constants.isEmpty { text += "    c += c0;\n" }
        text += setup
        if hasVectors {
            let vectors = patterns.indices.map { operand in
                loads[operand].hasSuffix("[i]") ? "LOAD(\(loads[operand].dropLast(3)) + i)" : loads[operand]
            }
            text += "#define VALUE VECTOR\n    for (; i + V <= end; i += V) {\n"
            text += statements(vectors) { "STORE(\($0), y + i)" } + "    }\n#undef VALUE\n"
        }
        text += "#define VALUE REAL\n"
        text += hasRuns ? "    for (; i < end; i++) {\n" : ""
        text += statements(loads) { "y[i] = \($0)" } + (hasRuns ? "    }\n" : "") + "#undef VALUE\n"
        return text + "}\n#undef QUOTIENT\n#undef INDEX\n" + Self.tail
    }

    /// The expression, a variable for each term, and what becomes of its value.
    private func statements(_ loads: [String], _ end: (_ result: String) -> String) -> String {
        let margin = hasRuns ? "        " : "    "
        let terms = kernel.expression.terms.enumerated().map { index, term in
            margin + "const VALUE t\(index) = \(Self.text(term, loads));\n"
        }
        return terms.joined() + margin + end("t\(kernel.expression.terms.count - 1)") + ";\n"
    }

    private static let head = """
        #ifdef WIDE
        #define INDEX long
        #define QUOTIENT(n, at) ((n) / g[at])
        #else
        #define INDEX int
        #define QUOTIENT(n, at) ((INDEX)(((ulong)(uint)(n) * (uint)g[(at) + 1]) >> g[(at) + 2]))
        #endif
        #define JOIN_(a, b) a##b
        #define JOIN(a, b) JOIN_(a, b)
        #define VECTOR JOIN(REAL, V)
        #define LOAD(p) JOIN(vload, V)(0, p)
        #define STORE(v, p) JOIN(vstore, V)(v, 0, p)
        #pragma OPENCL FP_CONTRACT OFF

        kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))

        """

    private static let tail = """
        #undef STORE
        #undef LOAD
        #undef VECTOR
        #undef JOIN
        #undef JOIN_

        """

    private var parameters: String {
        var list = patterns.indices.filter { !inPlace.contains($0) }.map {
            "global const REAL *x\($0), long at\($0)"
        }
        list += ["global REAL *restrict y, long y0", "global const INDEX *g, int g0"]
        if !kernel.constants.isEmpty { list.append("global const REAL *c, int c0") }
        return list.joined(separator: ", ")
    }

    /// One element per work-item: what comes before the expression, and how operands are read.
    private var items: (setup: String, loads: [String]) {
        var setup = "    const INDEX i = (INDEX)get_global_id(0);\n    if (i >= g[0]) return;\n"
        if patterns.contains(.strided) { setup += indices(of: "i", axes: rank) }
        let loads = patterns.indices.map { operand in
            if inPlace.contains(operand) { return "y[i]" }
            return switch patterns[operand] {
            case .scalar: "x\(operand)[at\(operand)]"
            case .linear: "(x\(operand) + at\(operand))[i]"
            case .strided: "(x\(operand) + at\(operand))[\(place(operand, axes: rank))]"
            }
        }
        return (setup, loads)
    }

    /// A run per work-item: `i` counts along the innermost axis.
    private var runs: (setup: String, loads: [String]) {
        let width = "g[\(1 + 3 * (rank - 1))]"
        var setup = "    const INDEX row = (INDEX)get_global_id(0);\n    if (row >= g[0]) return;\n"
        setup += "    const INDEX width = \(width), begin = (INDEX)get_global_id(1) * \(Self.piece);\n"
        setup += "    const INDEX end = width - begin < \(Self.piece) ? width : begin + \(Self.piece);\n"
        setup += "    y += row * width;\n" + indices(of: "row", axes: rank - 1)
        var loads: [String] = []
        for (operand, pattern) in patterns.enumerated() {
            if inPlace.contains(operand) {
                loads.append("y[i]")
                continue
            }
            let inner = kernel.walk.strides[operand][rank - 1]
            var start = "x\(operand) + at\(operand)"
            if pattern == .linear { start += " + row * width" }
            if pattern == .strided && rank > 1 { start += " + (\(place(operand, axes: rank - 1)))" }
            setup += "    global const REAL *p\(operand) = \(start);\n"
            if pattern == .scalar || inner == 0 {
                setup += "    const REAL v\(operand) = *p\(operand);\n"
                loads.append("v\(operand)")
            } else if inner == 1 {
                loads.append("p\(operand)[i]")
            } else {
                setup += "    const INDEX s\(operand) = g[\(strides(operand) + rank - 1)];\n"
                loads.append("p\(operand)[i * s\(operand)]")
            }
        }
        return (setup + "    INDEX i = begin;\n", loads)
    }

    /// Where the strides of a strided operand lie in the geometry.
    private func strides(_ operand: Int) -> Int {
        1 + 3 * rank + rank * patterns[..<operand].count { $0 == .strided }
    }

    /// The distance of an operand's element along the first axes.
    private func place(_ operand: Int, axes: Int) -> String {
        (0..<axes).map { "i\($0) * g[\(strides(operand) + $0)]" }.joined(separator: " + ")
    }

    /// The position along each of the first axes, `i0`, `i1`, …, of a number that counts through them.
    private func indices(of number: String, axes: Int) -> String {
        if axes == 0 { return "" }
        var (text, rest) = ("", number)
        for axis in (0..<axes).dropFirst().reversed() {
            let at = 1 + 3 * axis
            text += "    const INDEX q\(axis) = QUOTIENT(\(rest), \(at));\n"
            text += "    const INDEX i\(axis) = \(rest) - q\(axis) * g[\(at)];\n"
            rest = "q\(axis)"
        }
        return text + "    const INDEX i0 = \(rest);\n"
    }

    private static func text(_ term: Expression.Term, _ loads: [String]) -> String {
        switch term {
        case .load(let n): loads[n]
        case .constant(let n): "c[\(n)]"
        case .add(let a, let b): "t\(a) + t\(b)"
        case .mul(let a, let b): "t\(a) * t\(b)"
        case .greater(let a, let b): "t\(a) > t\(b) ? (VALUE)1 : (VALUE)0"
        case .select(let a, let b, let c): "t\(a) != 0 ? t\(b) : t\(c)"
        case .function(let function, let a): text(function, of: "t\(a)")
        }
    }

    /// The function's text with its variable `x` replaced.
    private static func text(_ function: Function, of argument: String) -> String {
        var (result, word) = ("", "")
        for character in function.rule.source + " " {
            if character.isLetter || character.isNumber || character == "_" {
                word.append(character)
            } else {
                result += (word == "x" ? argument : word) + String(character)
                word = ""
            }
        }
        return String(result.dropLast())
    }
}
