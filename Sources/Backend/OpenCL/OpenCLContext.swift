import COpenCL
import Foundation

/// An open device: its context, its one in-order queue and the memory in use. Arrays and programs keep it
/// alive.
final class OpenCLContext {
    let device: cl_device_id
    let handle: cl_context
    let queue: cl_command_queue
    let ledger: MemoryLedger
    /// Copies of data on its way to the device.
    private var staged: [UnsafeMutableRawBufferPointer] = []
    private var stagedBytes = 0
    private var serial = 0
    private let isSimulator: Bool

    init(_ candidate: OpenCLCandidate) throws(BackendError) {
        device = candidate.device
        isSimulator = candidate.info.kind == "simulator"
        ledger = MemoryLedger(
            total: candidate.info.memoryBytes, largest: candidate.info.largestAllocationBytes)
        var status: cl_int = 0
        let context = ls_clCreateContext(candidate.platform, device, &status)
        guard let context, status == 0 else {
            throw BackendError(
                .device, "clCreateContext failed with \(CLStatus(rawValue: status)) on \(candidate.info.name)"
            )
        }
        guard let queue = ls_clCreateCommandQueue(context, device, Profile.active != nil, &status),
            status == 0
        else {
            _ = ls_clReleaseContext(context)
            throw BackendError(
                .device,
                "clCreateCommandQueue failed with \(CLStatus(rawValue: status)) on \(candidate.info.name)")
        }
        (handle, self.queue) = (context, queue)
    }

    deinit {
        _ = ls_clFinish(queue)
        for copy in staged { copy.deallocate() }
        _ = ls_clReleaseCommandQueue(queue)
        _ = ls_clReleaseContext(handle)
    }

    /// Throws if a call failed, with its name, the status and, if memory ran out, what is in use.
    func check(_ status: cl_int, _ call: String) throws(BackendError) {
        if status == 0 { return }
        let status = CLStatus(rawValue: status)
        if status.isOutOfMemory { throw ledger.outOfMemory(asked: nil, ", \(call) failed with \(status)") }
        throw BackendError(.device, "\(call) failed with \(status); results on the device are lost")
    }

    /// A number that no other array of this context has.
    func nextSerial() -> Int {
        serial += 1
        return serial
    }

    /// Waits for all work.
    func finish() throws(BackendError) {
        let status = ls_clFinish(queue)
        for copy in staged { copy.deallocate() }
        (staged, stagedBytes) = ([], 0)
        try check(status, "clFinish")
    }

    /// Begins the work asked for so far.
    func flush() throws(BackendError) { try check(ls_clFlush(queue), "clFlush") }

    /// Copies bytes to a buffer. Small ones go through a copy of their own, so nothing has to wait.
    func write(_ bytes: UnsafeRawBufferPointer, to memory: cl_mem, at offset: Int) throws(BackendError) {
        guard bytes.count > 0, let source = bytes.baseAddress else { return }
        if bytes.count > Self.largestStaged {
            let status = ls_clEnqueueWriteBuffer(queue, memory, true, offset, bytes.count, source)
            return try check(status, "clEnqueueWriteBuffer")
        }
        if stagedBytes + bytes.count > Self.mostStaged { try finish() }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyMemory(from: bytes)
        staged.append(copy)
        stagedBytes += bytes.count
        let status = ls_clEnqueueWriteBuffer(queue, memory, false, offset, bytes.count, copy.baseAddress)
        try check(status, "clEnqueueWriteBuffer")
    }

    /// Fills a buffer of a multiple of 4 bytes with zeros.
    func clear(_ memory: cl_mem, _ bytes: Int) throws(BackendError) {
        if isSimulator {
            // Oclgrind 21.10 takes all but the first element of a filled buffer for uninitialised.
            let zeros = [UInt8](repeating: 0, count: bytes)
            return try check(
                ls_clEnqueueWriteBuffer(queue, memory, true, 0, bytes, zeros), "clEnqueueWriteBuffer")
        }
        var zero: UInt32 = 0
        try check(ls_clEnqueueFillBuffer(queue, memory, &zero, 4, 0, bytes), "clEnqueueFillBuffer")
    }

    private static let largestStaged = 1 << 20, mostStaged = 16 << 20
}

/// An OpenCL object that is released with its last reference.
final class OpenCLHandle {
    let pointer: OpaquePointer
    private let context: OpenCLContext
    private let release: (OpaquePointer?) -> cl_int

    init(_ pointer: OpaquePointer, _ context: OpenCLContext, _ release: @escaping (OpaquePointer?) -> cl_int)
    {
        (self.pointer, self.context, self.release) = (pointer, context, release)
    }

    deinit { _ = release(pointer) }
}
