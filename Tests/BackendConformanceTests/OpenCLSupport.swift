import Foundation
import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Places of OpenCL devices under test in the list of devices.
enum OpenCLTest {
    static let indices: [Int] = TestDevices.selectors.compactMap {
        $0.hasPrefix("opencl:") ? Int($0.dropFirst(7)) : nil
    }

    static func open(
        _ index: Int, cache: ProgramFolder? = .standard, _ change: (inout OpenCLStyle) -> Void = { _ in }
    ) throws -> OpenCLBackend {
        let candidate = try OpenCLDevices.candidate(index)
        var style = candidate.style
        change(&style)
        return try OpenCLBackend(candidate, style: style, cache: cache)
    }

    /// A program of one output `y`.
    static func program(_ body: (Trace) -> Tensor) -> Program { Program.trace { [("y", body($0))] } }

    /// Random values for all inputs of a program.
    static func values(_ program: Program, seed: UInt64 = 1) -> [String: [Double]] {
        var random = TestRandom(seed: seed)
        let pairs = program.inputs.map { ($0.name, random.values($0.shape.count)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Compares all three derivatives of a convolution.
    static func checkTriple(_ backend: OpenCLBackend, _ x: Shape, _ w: Shape, _ window: Window) throws {
        let size = window.outputSize(height: x[2], width: x[3], kernelH: w[2], kernelW: w[3])
        let y: Shape = [x[0], w[0], size.0, size.1]
        let label = "\(x) by \(w), \(window)"
        try check(backend, "conv \(label)") { $0.input("x", x).conv($0.input("w", w), window) }
        try check(backend, "dgrad \(label)") {
            $0.input("y", y).dgrad($0.input("w", w), window, images: x)
        }
        try check(backend, "wgrad \(label)") {
            ($0.input("x", x) * 0.1).wgrad($0.input("y", y), window, filters: w)
        }
    }

    /// Runs a program in both precisions the device has, between canaries.
    static func check(_ backend: OpenCLBackend, _ label: String, _ body: (Trace) -> Tensor) throws {
        let program = program(body)
        for precision in Precision.allCases where precision == .float32 || backend.device.hasFloat64 {
            try Conformance.compare(program, values(program), backend, precision, label)
        }
    }

    /// Gathers and scatters at indices inside the axis, at its ends, outside and at none.
    static func checkIndices(_ backend: OpenCLBackend) throws {
        let gather = program { $0.input("x", [3, 5, 2]).gathered(at: $0.input("k", [9]), axis: 1) }
        let scatter = program {
            $0.input("x", [3, 9, 2]).scattered(at: $0.input("k", [9]), axis: 1, count: 5)
        }
        for program in [gather, scatter] {
            var values = values(program)
            values["k"] = [4, 0, -1, 5, 2.5, .nan, 1e30, 4, 3]
            for precision in Precision.allCases where precision == .float32 || backend.device.hasFloat64 {
                try Conformance.compare(program, values, backend, precision, "indices")
            }
        }
    }

    /// A folder that is removed afterwards.
    static func withFolder(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "landscape-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer {
            chmod(path, 0o755)
            try? FileManager.default.removeItem(atPath: path)
        }
        try body(path)
    }
}

/// What the simulator that watches memory wrote.
enum SimulatorLog {
    private static let path = ProcessInfo.processInfo.environment["OCLGRIND_LOG"]

    /// Fails if something was reported. The simulator begins its log anew with every device that is opened, so it is
    /// read after every run.
    static func expectNothing(_ label: String) {
        guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        #expect(text.isEmpty, "\(label): \(text.prefix(1000))")
    }
}
