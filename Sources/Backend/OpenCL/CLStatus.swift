import COpenCL

/// The status of an OpenCL call, with its name.
public struct CLStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number that the call returned.
    public let rawValue: Int32

    /// A status from its number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The call did what it was asked for.
    public static let success = CLStatus(rawValue: 0)
    /// A program did not build; its log tells why.
    public static let buildProgramFailure = CLStatus(rawValue: -11)
    /// A platform has no device.
    public static let deviceNotFound = CLStatus(rawValue: -1)
    /// There is no platform, or no loader.
    public static let platformNotFound = CLStatus(rawValue: Int32(LS_NO_PLATFORM))

    /// The name in the standard's header, such as `CL_OUT_OF_RESOURCES`.
    public var name: String {
        if let name = Self.names[rawValue] { return "CL_" + name }
        return rawValue == -9999 ? "illegal memory access (NVIDIA)" : "unknown status"
    }

    /// Name and number.
    public var description: String { "\(name) (\(rawValue))" }

    /// Whether the device or the host had too little memory.
    var isOutOfMemory: Bool { (-6 ... -4).contains(rawValue) }

    private static let names: [Int32: String] = {
        var names: [Int32: String] = [-1001: "PLATFORM_NOT_FOUND_KHR"]
        for (index, name) in runtime.enumerated() { names[-Int32(index)] = name }
        for (index, name) in invalid.enumerated() { names[-30 - Int32(index)] = name }
        return names
    }()

    /// 0 downwards.
    private static let runtime = [
        "SUCCESS", "DEVICE_NOT_FOUND", "DEVICE_NOT_AVAILABLE", "COMPILER_NOT_AVAILABLE",
        "MEM_OBJECT_ALLOCATION_FAILURE", "OUT_OF_RESOURCES", "OUT_OF_HOST_MEMORY",
        "PROFILING_INFO_NOT_AVAILABLE", "MEM_COPY_OVERLAP", "IMAGE_FORMAT_MISMATCH",
        "IMAGE_FORMAT_NOT_SUPPORTED", "BUILD_PROGRAM_FAILURE", "MAP_FAILURE", "MISALIGNED_SUB_BUFFER_OFFSET",
        "EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "COMPILE_PROGRAM_FAILURE", "LINKER_NOT_AVAILABLE",
        "LINK_PROGRAM_FAILURE", "DEVICE_PARTITION_FAILED", "KERNEL_ARG_INFO_NOT_AVAILABLE",
    ]

    /// -30 downwards.
    private static let invalid = [
        "INVALID_VALUE", "INVALID_DEVICE_TYPE", "INVALID_PLATFORM", "INVALID_DEVICE", "INVALID_CONTEXT",
        "INVALID_QUEUE_PROPERTIES", "INVALID_COMMAND_QUEUE", "INVALID_HOST_PTR", "INVALID_MEM_OBJECT",
        "INVALID_IMAGE_FORMAT_DESCRIPTOR", "INVALID_IMAGE_SIZE", "INVALID_SAMPLER", "INVALID_BINARY",
        "INVALID_BUILD_OPTIONS", "INVALID_PROGRAM", "INVALID_PROGRAM_EXECUTABLE", "INVALID_KERNEL_NAME",
        "INVALID_KERNEL_DEFINITION", "INVALID_KERNEL", "INVALID_ARG_INDEX", "INVALID_ARG_VALUE",
        "INVALID_ARG_SIZE", "INVALID_KERNEL_ARGS", "INVALID_WORK_DIMENSION", "INVALID_WORK_GROUP_SIZE",
        "INVALID_WORK_ITEM_SIZE", "INVALID_GLOBAL_OFFSET", "INVALID_EVENT_WAIT_LIST", "INVALID_EVENT",
        "INVALID_OPERATION", "INVALID_GL_OBJECT", "INVALID_BUFFER_SIZE", "INVALID_MIP_LEVEL",
        "INVALID_GLOBAL_WORK_SIZE", "INVALID_PROPERTY", "INVALID_IMAGE_DESCRIPTOR",
        "INVALID_COMPILER_OPTIONS", "INVALID_LINKER_OPTIONS", "INVALID_DEVICE_PARTITION_COUNT",
        "INVALID_PIPE_SIZE", "INVALID_DEVICE_QUEUE", "INVALID_SPEC_ID", "MAX_SIZE_RESTRICTION_EXCEEDED",
    ]
}

/// Throws if a call failed. Calls on an open device go through `OpenCLContext.check`, which knows its memory.
func check(_ status: cl_int, _ call: StaticString) throws(BackendError) {
    if status != 0 { throw BackendError(.device, "\(call) failed with \(CLStatus(rawValue: status))") }
}
