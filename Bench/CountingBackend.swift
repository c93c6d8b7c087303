import Backend
import Planner

/// Work that plans have counted.
public struct Work: Sendable, Codable, Equatable {
    /// Floating-point operations.
    public var flops: Int
    /// Bytes read and written.
    public var bytes: Int

    /// Some work.
    public init(flops: Int = 0, bytes: Int = 0) { (self.flops, self.bytes) = (flops, bytes) }
}

/// A backend that passes everything on and adds up what the plans that run on it count, so that also the work of
/// a whole analysis is known exactly.
final class CountingBackend: Backend {
    let inner: any Backend
    /// The work of all runs so far.
    fileprivate(set) var total = Work()
    /// The most bytes that one of the plans needs that were compiled since this was set to 0.
    var largestPlanBytes = 0

    init(_ inner: any Backend) { self.inner = inner }

    var device: DeviceInfo { inner.device }
    var plannerOptions: PlannerOptions { inner.plannerOptions }
    var freeMemory: Int { inner.freeMemory }

    /// The work of everything that `body` runs.
    func work(of body: () throws -> Void) rethrows -> Work {
        let before = total
        try body()
        return Work(flops: total.flops - before.flops, bytes: total.bytes - before.bytes)
    }

    func scratch(for kernel: Kernel, precision: Precision) -> Int {
        inner.scratch(for: kernel, precision: precision)
    }

    func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        largestPlanBytes = max(largestPlanBytes, plan.peakBytes)
        return CountingExecutable(try inner.compile(plan), self)
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

private final class CountingExecutable: Executable {
    private let inner: any Executable
    private unowned let counter: CountingBackend
    private let work: Work

    init(_ inner: any Executable, _ counter: CountingBackend) {
        (self.inner, self.counter) = (inner, counter)
        // Walking the steps takes longer than a launch: once is enough.
        work = Work(flops: inner.plan.flops, bytes: inner.plan.bytesMoved)
    }

    var plan: Plan { inner.plan }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        counter.total.flops += work.flops
        counter.total.bytes += work.bytes
        try inner.run(inputs: inputs, outputs: outputs)
    }
}
