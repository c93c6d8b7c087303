import COpenCL
import Planner

/// A device behind OpenCL 1.2.
public final class OpenCLBackend: Backend {
    /// What the device is.
    public let device: DeviceInfo
    /// Kernels that were compiled from source, rather than found in a cache, since the device was opened.
    public var kernelsBuiltFromSource: Int { library.builtFromSource }

    let context: OpenCLContext
    let library: KernelLibrary
    let style: OpenCLStyle
    let localMemoryBytes: Int

    /// Opens a device. Without a style it gets the one that is faster there, see `StyleChoice`, with the numbers that
    /// tuning found.
    init(
        _ candidate: OpenCLCandidate, style: OpenCLStyle? = nil, cache: ProgramFolder? = .standard
    ) throws(BackendError) {
        device = candidate.info
        var style = style
        if style == nil {
            let chosen = candidate.style(StyleChoice(candidate: candidate, folder: cache).kind)
            style = Tuning.kept(for: candidate, in: cache)?.applied(to: chosen) ?? chosen
        }
        self.style = style!.limited(
            to: candidate.largestGroup, localMemory: candidate.localMemoryBytes)
        localMemoryBytes = candidate.localMemoryBytes
        context = try OpenCLContext(candidate)
        library = KernelLibrary(context, candidate, cache)
    }

    /// Reductions read fused chains, products and convolutions apply them, and elementwise steps work in place.
    public var plannerOptions: PlannerOptions { .all }

    /// Elements of working memory that a kernel needs while it runs.
    public func scratch(for kernel: Kernel, precision: Precision) -> Int {
        OpenCLTarget(precision: precision, style: style, isWide: false).kernel(kernel).scratch
    }

    /// Bytes that can still be allocated.
    public var freeMemory: Int { context.ledger.free }

    /// Leaves no more than so many bytes in all to what is allocated from now on.
    public func limitMemory(to bytes: Int) { context.ledger.limit(to: bytes) }

    /// Makes a plan ready to run.
    public func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        if plan.precision == .float64 && !device.hasFloat64 {
            throw BackendError(
                .unsupported,
                "\(device.name) (\(device.selector)) has no float64: use float32 or another device")
        }
        return try OpenCLExecutable(plan, on: self)
    }

    /// Zeroed memory for `count` elements.
    public func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        try OpenCLArray(count: count, precision: precision, on: context)
    }

    /// Copies bytes into a slice.
    public func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {
        let size = slice.array.precision.bytes
        precondition(bytes.count == slice.count * size, "bytes do not fill the slice")
        try context.write(bytes, to: slice.openCLArray(context).memory, at: slice.range.lowerBound * size)
    }

    /// Copies a slice's bytes out, after all work before the call.
    public func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
        let size = slice.array.precision.bytes
        precondition(bytes.count == slice.count * size, "bytes do not fill the slice")
        if bytes.isEmpty { return }
        let status = ls_clEnqueueReadBuffer(
            context.queue, slice.openCLArray(context).memory, true, slice.range.lowerBound * size,
            bytes.count,
            bytes.baseAddress)
        try context.check(status, "clEnqueueReadBuffer")
    }

    /// Copies between two slices.
    public func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {
        precondition(source.count == target.count && source.array.precision == target.array.precision)
        if source.count == 0 { return }
        let size = source.array.precision.bytes
        let status = ls_clEnqueueCopyBuffer(
            context.queue, source.openCLArray(context).memory, target.openCLArray(context).memory,
            source.range.lowerBound * size, target.range.lowerBound * size, source.count * size)
        try context.check(status, "clEnqueueCopyBuffer")
    }

    /// Waits for all work; reports what failed on the way.
    public func synchronize() throws(BackendError) { try context.finish() }
}
