import COpenCL

/// For other libraries that work on the same device, such as a BLAS to compare with. What they enqueue comes after
/// all work asked for before; they must not keep the handles longer than the backend and the array live.
extension OpenCLBackend {
    /// The in-order queue, a `cl_command_queue`.
    public var commandQueue: OpaquePointer { context.queue }

    /// The buffer behind an array of this backend, a `cl_mem`.
    public func buffer(of array: DeviceArray) -> OpaquePointer { array.all.openCLArray(context).memory }
}
