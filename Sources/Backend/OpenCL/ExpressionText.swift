import Graph
import Planner

extension Expression {
    /// OpenCL C that computes the chain: a variable of type VALUE for each term, and what becomes of the last. Operands are
    /// read by the texts of `loads`; constants lie in an array `c`.
    func statements(_ loads: [String], margin: String, _ end: (_ result: String) -> String) -> String {
        let lines = terms.enumerated().map { index, term in
            margin + "const VALUE t\(index) = \(Self.text(term, loads));\n"
        }
        return lines.joined() + margin + end("t\(terms.count - 1)") + ";\n"
    }

    private static func text(_ term: Term, _ loads: [String]) -> String {
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

extension Reduction {
    /// The terms as the reduction kernels read them (`reduce_terms`), empty if they are the elements of one operand. In
    /// vectors, operands are side by side or, if their stride in `lanes` is 0, repeat.
    func termText(lanes strides: [Int]?) -> String {
        if isPlain { return "" }
        let given = constants.isEmpty ? "" : ", global const REAL *c"
        let passed = constants.isEmpty ? "" : ", constants + constants_at"
        var text = """
            #define JOIN_(a, b) a##b
            #define JOIN(a, b) JOIN_(a, b)
            #pragma OPENCL FP_CONTRACT OFF
            #define VALUE REAL
            static inline REAL JOIN(NAME, _term)(global const REAL **p\(given)) {

            """
        let loads = kept.strides.indices
        text += expression.statements(loads.map { "*p[\($0)]" }, margin: "    ") { "return \($0)" } + "}\n"
        text += "#undef VALUE\n#define TERM(p) JOIN(NAME, _term)(p\(passed))\n"
        if let strides {
            text += """
                #define VALUE JOIN(REAL, V)
                static inline VALUE JOIN(NAME, _terms)(global const REAL **p, const long i\(given)) {

                """
            let vectors = loads.map { strides[$0] == 0 ? "*p[\($0)]" : "JOIN(vload, V)(0, p[\($0)] + i)" }
            text += expression.statements(vectors, margin: "    ") { "return \($0)" } + "}\n"
            text += "#undef VALUE\n#define TERMS(p, i) JOIN(NAME, _terms)(p, i\(passed))\n"
        }
        let parameters = loads.map { "global const REAL *e\($0), long e\($0)_at" }.joined(separator: ", ")
        let starts = loads.map { "e\($0) + e\($0)_at" }.joined(separator: ", ")
        let last = constants.isEmpty ? "" : ", global const REAL *constants, int constants_at"
        return text + """
            #undef JOIN
            #undef JOIN_
            #define LOADS \(kept.strides.count)
            #define OPERANDS \(parameters)
            #define CONSTANTS \(last)
            #define STARTS \(starts)

            """
    }
}
