import Backend
import Data
import Graph
import Planner

/// A program on a device with random inputs, which stay on the host as well for the check.
final class BoundProgram {
    let backend: any Backend
    /// Values of each input, as the device holds them.
    private(set) var values: [String: [Double]] = [:]
    private let executable: any Executable
    private var inputs: [DeviceSlice] = [], outputs: [DeviceSlice] = []

    /// Compiles a program; its inputs are uniform on ±1, never zeros: some processors are faster on those.
    init(_ program: Program, _ setting: Setting, _ precision: Precision) throws {
        backend = setting.backend
        executable = try setting.backend.compile(program, precision)
        for port in executable.plan.inputs {
            let drawn = Self.random(port.shape.count, setting.seed, port.name, precision)
            values[port.name] = drawn
            inputs.append(try backend.upload(drawn, precision).all)
        }
        for port in executable.plan.outputs {
            outputs.append(try backend.allocate(port.shape.count, precision).all)
        }
    }

    /// Numbers on ±1 that the precision can hold.
    static func random(_ count: Int, _ seed: UInt64, _ purpose: String, _ precision: Precision) -> [Double] {
        var stream = RandomStream(seed: seed, purpose: "bench \(purpose)")
        let values = stream.uniforms(count).map { 2 * $0 - 1 }
        return precision == .float64 ? values : values.map { Double(Float($0)) }
    }

    func start() throws { try executable.run(inputs: inputs, outputs: outputs) }

    /// The first result.
    func result() throws -> [Double] { try backend.download(outputs[0]) }

    /// The input of this name on the device.
    func slice(_ name: String) -> DeviceSlice {
        inputs[executable.plan.inputs.firstIndex { $0.name == name }!]
    }

    /// Memory of the first result.
    var output: DeviceSlice { outputs[0] }
}
