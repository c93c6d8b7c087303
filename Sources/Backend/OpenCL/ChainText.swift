import Graph
import Planner

/// The OpenCL C of a fused chain as a function. Elementwise kernels call it, and products and convolutions on
/// their results (`OpenCLEpilogue`). The text is made from the expression and from how each operand is walked; extents,
/// strides and constants are read from memory, so they never make a new kernel.
///
/// - On processors `NAME_run(…, y, g, c, row, i, end)` computes elements i..<end of one run along the innermost axis,
///   so that the inner loop has no divisions, and functions in vectors.
///   `NAME_finish(…, y, g, c, first, count)` does so for any run of the result.
/// - Elsewhere `NAME_value(…, g, c, i)` is element i; if some operand is the result itself, its old value comes first.
///
/// Geometry: a number for the caller; then, if there are runs or some operand is strided, every axis's extent with magic
/// number and shift, and the strides of every strided operand, all outermost first.
struct ChainText {
    let patterns: [Walk.Pattern]
    /// Whether the function computes a run along the innermost axis.
    let hasRuns: Bool
    /// Operands whose place the result takes.
    let inPlace: Set<Int>

    private let kernel: Elementwise

    init(_ kernel: Elementwise, hasRuns: Bool, inPlace: Set<Int> = []) {
        (self.kernel, self.inPlace) = (kernel, inPlace)
        patterns = kernel.walk.strides.indices.map { kernel.walk.pattern($0) }
        self.hasRuns = hasRuns
    }

    private var rank: Int { kernel.walk.dims.count }

    /// Whether the geometry lists the axes.
    private var hasAxes: Bool { hasRuns || patterns.contains(.strided) }

    /// What the function reads: the caller's number and the walk.
    func geometry(_ first: Int, _ target: OpenCLTarget) -> [Int] {
        if !hasAxes { return [first] }
        let strided = zip(kernel.walk.strides, patterns).filter { $1 == .strided }.flatMap(\.0)
        return [first] + kernel.walk.dims.flatMap { target.divisor($0) } + strided
    }

    // MARK: For callers

    /// Operands that are read from memory of their own.
    var operands: [Int] { patterns.indices.filter { !inPlace.contains($0) } }

    /// Where the geometry holds the extent of the innermost axis.
    var width: Int { 1 + 3 * (rank - 1) }

    /// Parameters of a kernel that calls the function.
    var operandParameters: [String] { operands.map { "global const REAL *e\($0), long e\($0)_at" } }
    var constantParameters: [String] {
        kernel.constants.isEmpty ? [] : ["global const REAL *constants, int constants_at"]
    }

    /// A call of a function from such a kernel; `y` is where the result begins or, for a value, the old one.
    func call(_ function: String, y: String, geometry: String, _ rest: String) -> String {
        var list = operands.map { "e\($0) + e\($0)_at" }
        if hasRuns || !inPlace.isEmpty { list.append(y) }
        list.append(geometry)
        if !kernel.constants.isEmpty { list.append("constants + constants_at") }
        return "JOIN(NAME, _\(function))(\((list + [rest]).joined(separator: ", ")))"
    }

    // MARK: The functions

    /// The function, and text that calls it, between the macros of both.
    func text(andThen callers: String) -> String { Self.head + function + callers + Self.tail }

    /// `NAME_finish`: elements of the result from `first` on, counted from where `y` begins, element g[0] of the result.
    var finish: String {
        let given = operands.map { "x\($0)" } + ["y - g[0]", "g"] + (kernel.constants.isEmpty ? [] : ["c"])
        return """
            static APART void JOIN(NAME, _finish)(\(shared.joined(separator: ", ")), INDEX first, INDEX count) {
                first += g[0];
                const INDEX width = g[\(width)];
                INDEX row = QUOTIENT(first, \(width)), i = first - row * width;
                for (; count > 0; row++) {
                    const INDEX n = width - i < count ? width - i : count;
                    JOIN(NAME, _run)(\(given.joined(separator: ", ")), row, i, i + n);
                    count -= n;
                    i = 0;
                }
            }

            """
    }

    private var function: String {
        let (setup, loads) = hasRuns ? runs : items
        let counters = hasRuns ? ["const INDEX row", "INDEX i", "const INDEX end"] : ["const INDEX i"]
        var text =
            "static \(hasRuns ? "APART void" : "inline REAL") JOIN(NAME, \(hasRuns ? "_run" : "_value"))("
        text += (shared + counters).joined(separator: ", ") + ") {\n" + setup
        if hasVectors {
            let vectors = patterns.indices.map { operand in
                loads[operand].hasSuffix("[i]") ? "LOAD(\(loads[operand].dropLast(3)) + i)" : loads[operand]
            }
            text += "#define VALUE VECTOR\n    for (; i + V <= end; i += V) {\n"
            text += statements(vectors) { "STORE(\($0), y + i)" } + "    }\n#undef VALUE\n"
        }
        text += "#define VALUE REAL\n"
        if hasRuns {
            text += "    for (; i < end; i++) {\n" + statements(loads) { "y[i] = \($0)" } + "    }\n"
        } else {
            text += statements(loads) { "return \($0)" }
        }
        return text + "#undef VALUE\n}\n"
    }

    /// Parameters of all functions: operands, result or old value, geometry, constants.
    private var shared: [String] {
        var list = operands.map { "global const REAL *x\($0)" }
        if hasRuns { list.append("global REAL *restrict y") }
        if !hasRuns && !inPlace.isEmpty { list.append("const REAL old") }
        list.append("global const INDEX *g")
        if !kernel.constants.isEmpty { list.append("global const REAL *c") }
        return list
    }

    /// Whether most of a run is computed in vectors: compilers vectorise arithmetic by themselves, functions not.
    private var hasVectors: Bool {
        hasRuns
            && kernel.expression.terms.contains { if case .function = $0 { true } else { false } }
            && kernel.walk.strides.allSatisfy { $0[rank - 1] == 0 || $0[rank - 1] == 1 }
    }

    /// The expression, a variable for each term, and what becomes of its value.
    private func statements(_ loads: [String], _ end: (_ result: String) -> String) -> String {
        kernel.expression.statements(loads, margin: hasRuns ? "        " : "    ", end)
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

        """

    private static let tail = """
        #undef STORE
        #undef LOAD
        #undef VECTOR
        #undef JOIN
        #undef JOIN_
        #undef QUOTIENT
        #undef INDEX

        """

    /// One element: what comes before the expression, and how operands are read.
    private var items: (setup: String, loads: [String]) {
        let setup = patterns.contains(.strided) ? indices(of: "i", axes: rank) : ""
        let loads = patterns.indices.map { operand in
            if inPlace.contains(operand) { return "old" }
            return switch patterns[operand] {
            case .scalar: "*x\(operand)"
            case .linear: "x\(operand)[i]"
            case .strided: "x\(operand)[\(place(operand, axes: rank))]"
            }
        }
        return (setup, loads)
    }

    /// A run: `i` counts along the innermost axis.
    private var runs: (setup: String, loads: [String]) {
        var setup = "    const INDEX width = g[\(width)];\n    y += row * width;\n"
        setup += indices(of: "row", axes: rank - 1)
        var loads: [String] = []
        for (operand, pattern) in patterns.enumerated() {
            if inPlace.contains(operand) {
                loads.append("y[i]")
                continue
            }
            let inner = kernel.walk.strides[operand][rank - 1]
            var start = "x\(operand)"
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
        return (setup, loads)
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
}
