import Foundation
import Kernels
import Planner

/// The text of one kernel: a body, and the macros that make a variant of it. Bodies clean up after
/// themselves, so that several kernels can be built as one program.
struct KernelSource: Hashable {
    /// The kernel's name in its program: the family and a hash of everything that makes the kernel.
    let name: String
    /// OpenCL C, macros included.
    let text: String
    /// Whether the kernel needs float64.
    let usesFloat64: Bool

    private let family: String, body: String
    private let macros: [Macro]

    private struct Macro: Hashable {
        var name: String, value: String
    }

    /// A variant of the given body.
    init(_ family: String, body: String, _ target: OpenCLTarget, _ macros: [(String, Int?)] = []) {
        var all = [Macro(name: "REAL", value: target.precision == .float32 ? "float" : "double")]
        if target.isWide { all.append(Macro(name: "WIDE", value: "")) }
        all += macros.map { Macro(name: $0, value: $1.map(String.init) ?? "") }
        self.init(family, body, all, usesFloat64: target.precision == .float64)
    }

    private init(_ family: String, _ body: String, _ macros: [Macro], usesFloat64: Bool) {
        (self.family, self.body, self.macros, self.usesFloat64) = (family, body, macros, usesFloat64)
        let parts = macros.map { "\($0.name) \($0.value)" }
        name = "\(family)_\(StableHash.of([body] + parts).prefix(16))"
        let all = macros + [Macro(name: "NAME", value: name)]
        // Some drivers make several copies of every kernel, and of each function that is not kept apart.
        text =
            "#define APART __attribute__((noinline))\n"
            + all.map { "#define \($0.name) \($0.value)\n" }.joined() + body + "\n"
            + all.map { "#undef \($0.name)\n" }.joined() + "#undef APART\n"
    }

    /// The same variant behind a text that it uses.
    func behind(_ text: String) -> KernelSource {
        KernelSource(family, text + body, macros, usesFloat64: usesFloat64)
    }

    /// A variant of the file `cl/FAMILY.cl`.
    init(file family: String, _ target: OpenCLTarget, _ macros: [(String, Int?)] = []) {
        self.init(family, body: Self.body(of: family), target, macros)
    }

    /// A variant of the file `cl/FAMILY.cl` behind other files.
    init(file family: String, using files: [String], _ target: OpenCLTarget, _ macros: [(String, Int?)] = [])
    {
        self.init(
            family, body: (files + [family]).map(Self.body).joined(separator: "\n"), target, macros)
    }

    /// A variant of the file `cl/FAMILY.cl` behind the functions it is made of: those of other files, and the
    /// micro-kernel for 1 to `PANELS` vectors.
    init(
        tiled family: String, using files: [String] = ["rotate", "pack"], _ target: OpenCLTarget,
        _ macros: [(String, Int?)]
    ) {
        let panels = macros.first { $0.0 == "PANELS" }?.1 ?? 1
        let tiles = (1...panels).map { "#define VECTORS \($0)\n\(Self.body(of: "tile"))\n#undef VECTORS\n" }
        let body = (files.map(Self.body) + tiles + [Self.body(of: family)]).joined(separator: "\n")
        self.init(family, body: body, target, macros)
    }

    /// The text of a file; `LANDSCAPE_KERNEL_DIR` names a folder that is read instead of the embedded texts.
    private static func body(of family: String) -> String {
        if let folder, let text = try? String(contentsOfFile: "\(folder)/\(family).cl", encoding: .utf8) {
            return text
        }
        guard let text = ls_kernel_text(family) else {
            preconditionFailure("there is no kernel \(family).cl")
        }
        return String(cString: text)
    }

    private static let folder = ProcessInfo.processInfo.environment["LANDSCAPE_KERNEL_DIR"]
}
