import CKernels
import COpenBLAS
import Foundation
import Planner
import Synchronization

/// The processor itself: OpenBLAS for matrix products, `CKernels` for everything else.
public final class CPUBackend: Backend {
    /// What the device is.
    public let device: DeviceInfo

    /// Whether 3×3 convolutions without stride are computed by minimal filtering where that is faster: F(2×2, 3×3) of Winograd
    /// (Lavin and Gray, arXiv:1509.09308), 16 products for 36. Rounding errors are of the same size but not the same, and one
    /// infinite element makes its neighbours in a tile NaN.
    public let usesWinograd: Bool

    private let ledger: MemoryLedger

    /// What backends take that are made without a word about it.
    private static let winograd = Mutex(false)

    /// Makes backends from now on use minimal filtering unless they are told otherwise.
    public static func useWinograd(_ uses: Bool) { winograd.withLock { $0 = uses } }

    /// OpenBLAS runs single-threaded; the backend splits work itself.
    public init(usesWinograd: Bool? = nil) {
        self.usesWinograd = usesWinograd ?? Self.winograd.withLock { $0 }
        openblas_set_num_threads(1)
        let memory = Int(ProcessInfo.processInfo.physicalMemory)
        let configuration = openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
        ledger = MemoryLedger(total: memory, largest: memory)
        device = DeviceInfo(
            backend: "cpu", selector: "cpu",
            name: Self.processorName + (self.usesWinograd ? ", minimal filtering" : ""),
            platform: "OpenBLAS and C kernels",
            driver: configuration.trimmingCharacters(in: .whitespaces), kind: "cpu",
            computeUnits: Parallel.threads, memoryBytes: memory,
            largestAllocationBytes: memory, hasFloat64: true)
    }

    /// Sets how many threads share work. Only a call before the first use of any CPU backend has an effect.
    public static func useThreads(_ count: Int) { ls_set_threads(Int32(count)) }

    /// Calls `body` with every number of `0..<count`, on all threads of the CPU backend. What a call computes must not
    /// depend on which others were made before it.
    public static func forEach(_ count: Int, _ body: (Int) -> Void) {
        Parallel.forEach(count) { piece, _ in body(piece) }
    }

    private static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "processor"
    }

    /// Reductions read fused chains, products and convolutions apply them, and elementwise steps work in place.
    public var plannerOptions: PlannerOptions { .all }

    /// Elements of working memory that a kernel needs while it runs.
    public func scratch(for kernel: Kernel, precision: Precision) -> Int {
        switch kernel {
        case .convolution(let convolution):
            CPUConvolution.scratch(convolution, precision, usesWinograd: usesWinograd)
        case .matmul(let product): CPUMatmul.scratch(product)
        case .reduce(let reduction): CPUReduce.scratch(reduction, precision)
        default: 0
        }
    }

    /// Bytes that can still be allocated.
    public var freeMemory: Int { ledger.free }

    /// Leaves no more than so many bytes in all to what is allocated from now on.
    public func limitMemory(to bytes: Int) { ledger.limit(to: bytes) }

    /// Makes a plan ready to run.
    public func compile(_ plan: Plan) throws(BackendError) -> any Executable {
        try CPUExecutable(plan, on: self)
    }

    /// Zeroed memory for `count` elements.
    public func allocate(_ count: Int, _ precision: Precision) throws(BackendError) -> DeviceArray {
        try CPUArray(count: count, precision: precision, ledger)
    }

    /// Copies bytes into a slice.
    public func write(_ bytes: UnsafeRawBufferPointer, to slice: DeviceSlice) throws(BackendError) {
        precondition(bytes.count == slice.count * slice.array.precision.bytes, "bytes do not fill the slice")
        if bytes.isEmpty { return }
        address(slice).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    }

    /// Copies a slice's bytes out.
    public func read(_ slice: DeviceSlice, into bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
        precondition(bytes.count == slice.count * slice.array.precision.bytes, "bytes do not fill the slice")
        if bytes.isEmpty { return }
        bytes.baseAddress!.copyMemory(from: address(slice), byteCount: bytes.count)
    }

    /// Copies between two slices.
    public func copy(_ source: DeviceSlice, to target: DeviceSlice) throws(BackendError) {
        precondition(source.count == target.count && source.array.precision == target.array.precision)
        address(target).copyMemory(
            from: address(source), byteCount: source.count * source.array.precision.bytes)
    }

    /// Work is done when a call returns.
    public func synchronize() throws(BackendError) {}
}

/// Memory of the CPU backend, aligned to cache lines.
final class CPUArray: DeviceArray {
    let base: UnsafeMutableRawPointer
    private let bytes: Int
    private let ledger: MemoryLedger

    init(count: Int, precision: Precision, _ ledger: MemoryLedger) throws(BackendError) {
        let (product, overflow) = count.multipliedReportingOverflow(by: precision.bytes)
        bytes = max(64, product)
        self.ledger = ledger
        try ledger.take(overflow ? Int.max : bytes)
        var memory: UnsafeMutableRawPointer?
        posix_memalign(&memory, 64, bytes)
        guard let memory else {
            ledger.give(bytes)
            throw ledger.outOfMemory(asked: bytes)
        }
        memset(memory, 0, bytes)
        base = memory
        super.init(count: count, precision: precision)
    }

    deinit {
        free(base)
        ledger.give(bytes)
    }
}

/// Where a slice begins.
func address(_ slice: DeviceSlice) -> UnsafeMutableRawPointer {
    guard let array = slice.array as? CPUArray else {
        preconditionFailure("memory of another device was given to the CPU backend")
    }
    return array.base + slice.range.lowerBound * array.precision.bytes
}
