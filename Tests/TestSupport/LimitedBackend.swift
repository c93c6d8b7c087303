import Backend
import Planner

/// A device with little memory: plans whose arena is larger than a limit are refused, when they are compiled or when
/// they are run, as a driver does that allocates late.
public final class LimitedBackend: Backend {
    private let inner: any Backend
    /// Bytes of the largest arena that compiles, and of the largest that runs.
    public var largestCompiled = Int.max, largestRun = Int.max
    /// Bytes that analyses believe to be free.
    public var freeMemory: Int
    /// Bytes of the largest arena and of the largest plan with all it reads and writes.
    public private(set) var largestArena = 0, largestPeak = 0
    /// How many plans were compiled, and run.
    public fileprivate(set) var compiled = 0, runs = 0

    /// A device around another one.
    public init(_ inner: any Backend, freeMemory: Int? = nil) {
        (self.inner, self.freeMemory) = (inner, freeMemory ?? inner.freeMemory)
    }

    /// What the device is.
    public var device: DeviceInfo { inner.device }
    /// What its kernels take in.
    public var plannerOptions: PlannerOptions { inner.plannerOptions }
    /// Working memory of a kernel.
    public func scratch(for kernel: Kernel, precision: Precision) -> Int {
        inner.scratch(for: kernel, precision: precision)
    }
    /// Makes a plan ready to run, or refuses it.
    public func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        if plan.arenaBytes > largestCompiled { throw refusal(plan) }
        compiled += 1
        largestArena = max(largestArena, plan.arenaBytes)
        largestPeak = max(largestPeak, plan.peakBytes)
        return LimitedExecutable(try inner.compile(plan), self)
    }
    fileprivate func refusal(_ plan: Plan) -> BackendError {
        BackendError(.outOfMemory, "out of device memory: asked for \(plan.arenaBytes) bytes")
    }
    /// Memory for some elements.
    public func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        try inner.allocate(count, precision)
    }
    /// Copies bytes to the device.
    public func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {
        try inner.write(bytes, to: slice)
    }
    /// Copies bytes from the device.
    public func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
        try inner.read(slice, into: bytes)
    }
    /// Copies between slices.
    public func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {
        try inner.copy(source, to: target)
    }
    /// Waits for all work.
    public func synchronize() throws(BackendError) { try inner.synchronize() }
}

private final class LimitedExecutable: Executable {
    private let inner: any Executable
    private unowned let backend: LimitedBackend
    var plan: Plan { inner.plan }

    init(_ inner: any Executable, _ backend: LimitedBackend) { (self.inner, self.backend) = (inner, backend) }

    func run(inputs: [DeviceSlice], outputs: [DeviceSlice]) throws(BackendError) {
        if plan.arenaBytes > backend.largestRun { throw backend.refusal(plan) }
        backend.runs += 1
        try inner.run(inputs: inputs, outputs: outputs)
    }
}
