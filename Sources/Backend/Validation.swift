import Foundation
import Planner

/// `LANDSCAPE_VALIDATE=1` replays every step of every run on the `Interpreter`.
enum Validation {
    static let isOn = ProcessInfo.processInfo.environment["LANDSCAPE_VALIDATE"] == "1"
}

/// Runs a plan one step at a time and compares each result with the step's meaning in float64.
final class ValidatingExecutable: Executable {
    let plan: Plan
    private let backend: any Backend
    private let steps: [any Executable]
    private let arena: DeviceArray

    init(_ executable: any Executable, on backend: any Backend) throws(BackendError) {
        plan = executable.plan
        self.backend = backend
        arena = try backend.allocate(max(1, plan.arenaCount), plan.precision)
        var steps: [any Executable] = []
        for step in plan.steps { steps.append(try backend.compile(plan.alone(step))) }
        self.steps = steps
    }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        checkBinding(plan, inputs: inputs, outputs: outputs)
        for (index, step) in plan.steps.enumerated() {
            let (values, slices) = try operands(of: step, inputs, outputs)
            let expected = step.replay(values)
            let result = slice(step.result, count: step.count, inputs, outputs)
            let temporary = try backend.allocate(step.count, plan.precision)
            try steps[index].run(inputs: slices, outputs: [temporary.all])
            try backend.copy(temporary.all, to: result)
            try compare(step, index, expected, values, try backend.download(result))
        }
    }

    /// Copies of a step's operands: as values in the order of its meaning, and as memory of their own.
    private func operands(
        of step: Step, _ inputs: [DeviceSlice], _ outputs: [DeviceSlice]
    ) throws(BackendError) -> ([[Double]], [DeviceSlice]) {
        var values: [[Double]] = []
        var slices: [DeviceSlice] = []
        for (index, buffer) in step.operands.enumerated() {
            let offsets = step.elementOffsets(ofOperand: index)
            let count = (offsets.max() ?? -1) + 1
            let all: [Double]
            if case .table(let table) = buffer.place {
                all = Array(plan.tables[table][buffer.offset..<buffer.offset + count])
            } else {
                all = try backend.download(slice(buffer, count: count, inputs, outputs))
            }
            values.append(offsets.map { all[$0] })
            slices.append(try backend.upload(all, plan.precision).all)
        }
        return (values, slices)
    }

    private func slice(
        _ buffer: Buffer, count: Int, _ inputs: [DeviceSlice], _ outputs: [DeviceSlice]
    ) -> DeviceSlice {
        switch buffer.place {
        case .arena: arena[buffer.offset..<buffer.offset + count]
        case .input(let index): inputs[index][buffer.offset..<buffer.offset + count]
        case .output(let index): outputs[index][buffer.offset..<buffer.offset + count]
        case .table: preconditionFailure("tables are never written")
        }
    }

    private func compare(
        _ step: Step, _ index: Int, _ expected: [Double], _ operands: [[Double]], _ found: [Double]
    ) throws(BackendError) {
        // Sums may cancel: errors are judged against the largest magnitude that can have entered them.
        let largest = operands.map { $0.reduce(0) { max($0, abs($1)) } }.reduce(1, max)
        let scale = expected.reduce(largest) { max($0, abs($1)) }
        let terms = Double(max(1, step.flops / max(1, step.count)))
        let tolerance = 32 * plan.precision.epsilon * scale * terms.squareRoot()
        for (element, (a, b)) in zip(expected, found).enumerated()
        where !(abs(a - b) <= tolerance || (a.isNaN && b.isNaN) || a == b || overflows(a, b)) {
            throw BackendError(
                .device,
                "validation: step \(index) (\(step.kernel.name)) gives \(b) at element \(element), "
                    + "the reference gives \(a)\n\(step.meaning)")
        }
    }

    /// Whether a reference too large for the plan's format came out as infinity, or as what follows from one.
    private func overflows(_ expected: Double, _ found: Double) -> Bool {
        plan.precision == .float32 && !found.isFinite && abs(expected) > Double(Float.greatestFiniteMagnitude)
    }
}
