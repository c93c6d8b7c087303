import Graph
import Planner
import Testing

@testable import Backend

/// A backend that spoils the first element of every matrix product.
private final class FaultyBackend: Backend {
    private let inner = CPUBackend()

    var device: DeviceInfo { inner.device }
    var freeMemory: Int { inner.freeMemory }
    func scratch(for kernel: Kernel, precision: Precision) -> Int {
        inner.scratch(for: kernel, precision: precision)
    }
    func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        FaultyExecutable(try inner.compile(plan), inner)
    }
    func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        try inner.allocate(count, precision)
    }
    func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {
        try inner.write(bytes, to: slice)
    }
    func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
        try inner.read(slice, into: bytes)
    }
    func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {
        try inner.copy(source, to: target)
    }
    func synchronize() throws(BackendError) { try inner.synchronize() }
}

private final class FaultyExecutable: Executable {
    private let inner: any Executable
    private let backend: CPUBackend
    var plan: Plan { inner.plan }

    init(_ inner: any Executable, _ backend: CPUBackend) { (self.inner, self.backend) = (inner, backend) }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        try inner.run(inputs: inputs, outputs: outputs)
        guard case .matmul = plan.steps.last?.kernel else { return }
        let value = try backend.download(outputs[0][0..<1])[0]
        try backend.write([value + 0.01], to: outputs[0][0..<1])
    }
}

/// The replay on the interpreter accepts right steps and names wrong ones.
@Suite struct ValidationTests {
    private func run(on backend: any Backend) throws(BackendError) {
        let program = Program.trace { t in
            let x = t.input("x", [3, 4])
            let y = (x.matmul(t.constant([1, 0, 2, 0, 1, 1, 3, 1], [4, 2])) * 2).permuted([1, 0])
            return [("y", y.sum([1]) + 1)]
        }
        let executable = try ValidatingExecutable(
            backend.compile(backend.plan(program, .float32)), on: backend)
        let x = try backend.upload((0..<12).map(Double.init), .float32)
        let y = try backend.allocate(2, .float32)
        try executable.run(inputs: [x.all], outputs: [y.all])
        // Column sums of 2·x·w, plus 1.
        #expect(try backend.download(y.all) == [247, 79])
    }

    @Test func acceptsARightBackend() throws { try run(on: CPUBackend()) }

    @Test func namesTheWrongStep() {
        #expect {
            try run(on: FaultyBackend())
        } throws: { error in
            let text = "\(error)"
            return text.contains("validation") && text.contains("matmul") && text.contains("element 0")
        }
    }
}
