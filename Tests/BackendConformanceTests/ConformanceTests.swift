import Backend
import Foundation
import Graph
import Planner
import TestSupport
import Testing

/// All device tests run one after the other: they share cores and drivers.
@Suite(.serialized) struct ConformanceTests {
    @Test(.enabled(if: TestDevices.wanted == nil))
    func anOpenCLDeviceIsPresent() {
        #expect(
            TestDevices.selectors.contains { $0.hasPrefix("opencl") },
            "no OpenCL device: PoCL must be installed")
    }

    @Test(.enabled(if: TestDevices.wanted == nil), arguments: TestDevices.selectors)
    func everyCase(_ selector: String) throws {
        try Conformance.check(selector, precisions: Precision.allCases, seeds: 1...3)
    }
}

/// The same kernels on small sizes inside a simulator that watches memory; `./test` reads its log.
@Suite(.serialized, .enabled(if: TestDevices.wanted != nil)) struct KernelMemoryTests {
    @Test(arguments: TestDevices.selectors)
    func everyCase(_ selector: String) throws {
        try Conformance.check(selector, precisions: [.float32, .float64], seeds: 1...1)
    }
}

/// Runs the table of cases on a device and compares with the interpreter.
enum Conformance {
    static func check(_ selector: String, precisions: [Precision], seeds: ClosedRange<UInt64>) throws {
        try check(Devices.open(selector).backend, precisions: precisions, seeds: seeds)
    }

    static func check(
        _ backend: any Backend, precisions: [Precision], seeds: ClosedRange<UInt64>,
        orders: [KeyPath<Example, Program>] = [\.program, \.forward, \.reverse, \.second]
    ) throws {
        for precision in precisions where precision == .float32 || backend.device.hasFloat64 {
            for row in Cases.all {
                for seed in seeds {
                    var random = TestRandom(seed: seed &* 77)
                    let example = row.make(&random)
                    let values = example.seeded(&random)
                    for order in orders {
                        let program = example[keyPath: order]
                        try compare(program, values, backend, precision, "\(row), seed \(seed), \(precision)")
                    }
                }
            }
        }
    }

    /// Runs a program twice between canaries: right values, the same bits, nothing written elsewhere.
    static func compare(
        _ program: Program, _ values: [String: [Double]], _ backend: any Backend, _ precision: Precision,
        _ label: String
    ) throws {
        let executable = try backend.compile(program, precision)
        let guardCount = 5, canary = 0.8125
        // Inputs begin at odd offsets; outputs lie between canaries.
        let inputs = try executable.plan.inputs.map { port in
            let padded = [Double](repeating: .nan, count: 3) + values[port.name]!
            return try backend.upload(padded, precision)[3..<padded.count]
        }
        let rounded = try zip(executable.plan.inputs, inputs).map { ($0.name, try backend.download($1)) }
        let expected = Interpreter.run(program, Dictionary(uniqueKeysWithValues: rounded))
        let arrays = try executable.plan.outputs.map { port in
            try backend.upload(
                [Double](repeating: canary, count: port.shape.count + 2 * guardCount), precision)
        }
        let outputs = zip(executable.plan.outputs, arrays).map {
            $1[guardCount..<guardCount + $0.shape.count]
        }
        try executable.run(inputs: inputs, outputs: outputs)
        let first = try outputs.map { try backend.download($0) }
        SimulatorLog.expectNothing(label)
        try executable.run(inputs: inputs, outputs: outputs)
        for (index, port) in executable.plan.outputs.enumerated() {
            let all = try backend.download(arrays[index].all)
            let found = Array(all[guardCount..<all.count - guardCount])
            let tolerance = precision == .float32 ? 2e-5 : 1e-12
            let problem = mismatch(found, expected[index], tolerance: tolerance)
            #expect(problem == nil, "\(label): \(port.name) on \(backend.device.name)\n\(program)")
            #expect(
                found.elementsEqual(first[index], by: { $0.bitPattern == $1.bitPattern }), "\(label): repeat")
            let canaries = all.prefix(guardCount) + all.suffix(guardCount)
            #expect(canaries.allSatisfy { $0 == canary }, "\(label): \(port.name) writes outside its memory")
        }
    }
}
