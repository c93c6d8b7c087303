import Backend
import Foundation
import Graph
import Planner

/// Devices under test: all of them, or those whose name contains `LANDSCAPE_TEST_DEVICES`. A simulator is slow
/// and checks memory instead of answers, so it runs only when it is asked for.
public enum TestDevices {
    /// What `LANDSCAPE_TEST_DEVICES` asks for.
    public static let wanted = ProcessInfo.processInfo.environment["LANDSCAPE_TEST_DEVICES"]?.lowercased()

    /// The devices.
    public static let devices: [DeviceInfo] = Devices.all().filter { device in
        let name = device.name.lowercased()
        if let wanted { return name.contains(wanted) || device.selector == wanted }
        return device.kind != "simulator"
    }

    /// How `--device` names them.
    public static let selectors = devices.map(\.selector)

    /// Every device in every precision it has.
    public static let targets: [Target] = devices.flatMap { device in
        (device.hasFloat64 ? [.float32, .float64] : [Precision.float32]).map { Target(device.selector, $0) }
    }

    /// Every device that has float64, in float64.
    public static let exactTargets = targets.filter { $0.precision == .float64 }
}

/// A device and a precision to test on.
public struct Target: Sendable, Hashable, CustomStringConvertible {
    /// How `--device` names the device.
    public let selector: String
    /// Format of the numbers.
    public let precision: Precision

    /// A target from its parts.
    public init(_ selector: String, _ precision: Precision) {
        (self.selector, self.precision) = (selector, precision)
    }

    /// Such as `opencl:0 float32`.
    public var description: String { "\(selector) \(precision.rawValue)" }

    /// One of two numbers, by precision.
    public func tolerance(_ float32: Double, _ float64: Double) -> Double {
        precision == .float32 ? float32 : float64
    }

    /// Opens the device.
    public func open() throws -> any Backend { try Devices.open(selector).backend }

    /// Plans and runs a program; `inputs` by name. Returns the outputs in order.
    public func run(
        _ program: Program, _ inputs: [String: [Double]], on other: (any Backend)? = nil
    ) throws -> [[Double]] {
        let backend = try other ?? open()
        return try Self.run(try backend.compile(program, precision), inputs, on: backend)
    }

    /// Runs a plan; `inputs` by name. Returns the outputs in order.
    public func run(_ plan: Plan, _ inputs: [String: [Double]]) throws -> [[Double]] {
        let backend = try open()
        return try Self.run(try backend.compile(plan), inputs, on: backend)
    }

    private static func run(
        _ executable: any Executable, _ inputs: [String: [Double]], on backend: any Backend
    ) throws -> [[Double]] {
        let plan = executable.plan
        let given = try plan.inputs.map { try backend.upload(inputs[$0.name]!, plan.precision) }
        let results = try plan.outputs.map { try backend.allocate($0.shape.count, plan.precision) }
        try executable.run(inputs: given.map(\.all), outputs: results.map(\.all))
        return try results.map { try backend.download($0.all) }
    }
}
