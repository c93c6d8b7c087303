import Backend
import Graph
import Planner

/// What a device delivers: the two rates that bound everything else.
public struct DeviceRates: Sendable, Codable {
    /// Floating-point operations per second of a matrix product, in units of 10⁹.
    public let gemmGFLOPS: Double
    /// Bytes read and written per second by an elementwise copy, in units of 10⁹.
    public let copyGBps: Double

    /// Measures both rates: medians over repeated runs after a warm-up. Takes about a second.
    ///
    /// - Parameters:
    ///   - size: rows and columns of the matrices.
    ///   - elements: length of the copied vector.
    public static func measure(
        on backend: any Backend, _ precision: Precision, size: Int = 768, elements: Int = 1 << 23
    ) throws(BackendError) -> DeviceRates {
        let product = Program.trace { t in
            [("y", t.input("a", [size, size]).matmul(t.input("b", [size, size])))]
        }
        let copy = Program.trace { t in [("y", t.input("a", [elements]) * 2)] }
        let gemm = try rate(product, on: backend, precision) { Double($0.flops) }
        let bytes = try rate(copy, on: backend, precision) { Double($0.bytesMoved) }
        return DeviceRates(gemmGFLOPS: gemm / 1e9, copyGBps: bytes / 1e9)
    }

    /// Work per second of a program, by the median time of one run.
    private static func rate(
        _ program: Program, on backend: any Backend, _ precision: Precision, work: (Plan) -> Double
    ) throws(BackendError) -> Double {
        let executable = try backend.compile(program, precision)
        var inputs: [DeviceSlice] = [], outputs: [DeviceSlice] = []
        for port in executable.plan.inputs {
            // Not zeros: some processors are faster on them.
            let values = (0..<port.shape.count).map { Double($0 * 7919 % 1013) / 1013 - 0.5 }
            inputs.append(try backend.upload(values, precision).all)
        }
        for port in executable.plan.outputs {
            outputs.append(try backend.allocate(port.shape.count, precision).all)
        }
        var times: [Double] = []
        for run in 0..<9 {
            let clock = ContinuousClock.now
            try executable.run(inputs: inputs, outputs: outputs)
            try backend.synchronize()
            if run > 1 { times.append((ContinuousClock.now - clock) / .seconds(1)) }
        }
        return work(executable.plan) / times.sorted()[times.count / 2]
    }
}
