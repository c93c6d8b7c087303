import COpenCL
import Planner

/// Memory of an OpenCL device.
final class OpenCLArray: DeviceArray {
    let context: OpenCLContext
    let memory: cl_mem
    /// Tells arrays apart, also when one takes the place of another that is gone.
    let serial: Int
    private let bytes: Int

    init(count: Int, precision: Precision, on context: OpenCLContext) throws(BackendError) {
        self.context = context
        // There are no empty buffers.
        (memory, bytes) = try Self.create(max(1, count), precision.bytes, context)
        serial = context.nextSerial()
        super.init(count: count, precision: precision)
        try context.clear(memory, bytes)
    }

    private static func create(
        _ count: Int, _ size: Int, _ context: OpenCLContext
    ) throws(BackendError) -> (cl_mem, Int) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        try context.ledger.take(overflow ? Int.max : bytes)
        var status: cl_int = 0
        let memory = ls_clCreateBuffer(context.handle, cl_mem_flags(CL_MEM_READ_WRITE), bytes, nil, &status)
        if let memory, status == 0 { return (memory, bytes) }
        context.ledger.give(bytes)
        if CLStatus(rawValue: status).isOutOfMemory { throw context.ledger.outOfMemory(asked: bytes) }
        throw BackendError(
            .device, "clCreateBuffer of \(bytes) bytes failed with \(CLStatus(rawValue: status))")
    }

    deinit {
        _ = ls_clReleaseMemObject(memory)
        context.ledger.give(bytes)
    }
}

extension DeviceSlice {
    /// The slice's array, which must be of the given device.
    func openCLArray(_ context: OpenCLContext) -> OpenCLArray {
        guard let array = array as? OpenCLArray, array.context === context else {
            preconditionFailure("memory of another device was given to an OpenCL device")
        }
        return array
    }
}

/// Small read-only data of a plan: geometry and constants.
final class OpenCLTable {
    let memory: cl_mem
    private let context: OpenCLContext
    private let bytes: Int

    /// A copy of the given bytes, at least 8.
    init(_ source: UnsafeRawBufferPointer, on context: OpenCLContext) throws(BackendError) {
        precondition(source.count >= 8, "a table is not empty")
        self.context = context
        try context.ledger.take(source.count)
        var status: cl_int = 0
        let memory = ls_clCreateBuffer(
            context.handle, cl_mem_flags(CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR), source.count,
            UnsafeMutableRawPointer(mutating: source.baseAddress), &status)
        guard let memory, status == 0 else {
            context.ledger.give(source.count)
            try context.check(status, "clCreateBuffer")
            throw BackendError(.device, "clCreateBuffer gave no buffer")
        }
        (self.memory, bytes) = (memory, source.count)
    }

    deinit {
        _ = ls_clReleaseMemObject(memory)
        context.ledger.give(bytes)
    }
}
