import COpenCL

/// A device that could be opened, with what is asked of it once.
struct OpenCLCandidate {
    let platform: cl_platform_id
    let device: cl_device_id
    let info: DeviceInfo
    /// Most items of one group, and bytes of memory they share.
    let largestGroup: Int, localMemoryBytes: Int
    /// Whether float32 division and square root can be rounded correctly.
    let dividesExactly: Bool
    /// How kernels are cut for a device of its type.
    var style: OpenCLStyle {
        style(info.kind == "gpu" || info.kind == "accelerator" ? .graphics : .processor)
    }

    /// Lanes of its native vectors of float32 and float64.
    private let lanes32: Int, lanes64: Int

    /// Asks a device that has place `index` in the list.
    init(_ platform: cl_platform_id, _ device: cl_device_id, index: Int) {
        (self.platform, self.device) = (platform, device)
        let kind = Self.kind(platform, device)
        let memory = Self.number(device, CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong.self)
        let extensions = Self.deviceText(device, CL_DEVICE_EXTENSIONS).split(separator: " ")
        info = DeviceInfo(
            backend: "opencl", selector: "opencl:\(index)", name: Self.deviceText(device, CL_DEVICE_NAME),
            platform: Self.name(platform) + ", " + Self.platformText(platform, CL_PLATFORM_VERSION),
            driver: Self.deviceText(device, CL_DRIVER_VERSION), kind: kind,
            computeUnits: Self.number(device, CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint.self), memoryBytes: memory,
            largestAllocationBytes: Self.number(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong.self),
            hasFloat64: extensions.contains("cl_khr_fp64"))

        var sizes = (1, 1, 1)
        _ = ls_clGetDeviceInfo(
            device, cl_device_info(CL_DEVICE_MAX_WORK_ITEM_SIZES), MemoryLayout.size(ofValue: sizes), &sizes,
            nil)
        largestGroup = min(Self.number(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, Int.self), sizes.0)
        localMemoryBytes = Self.number(device, CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong.self)
        let single = Self.number(device, CL_DEVICE_SINGLE_FP_CONFIG, cl_ulong.self)
        dividesExactly = single & Int(CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0

        func lanes(_ what: Int32) -> Int {
            let native = Self.number(device, what, cl_uint.self)
            return native >= 16 ? 16 : native >= 8 ? 8 : 4
        }
        lanes32 = lanes(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT)
        lanes64 = lanes(CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE)
    }

    /// One of the two ways of cutting kernels for it.
    func style(_ kind: StyleChoice.Kind) -> OpenCLStyle {
        switch kind {
        case .processor: .processor(lanes32: lanes32, lanes64: lanes64, cores: max(1, info.computeUnits))
        case .graphics: .graphics
        }
    }

    /// `cpu`, `gpu`, `accelerator`, or `simulator`, which checks kernels instead of running them fast.
    static func kind(_ platform: cl_platform_id, _ device: cl_device_id) -> String {
        if name(platform).lowercased().contains("oclgrind") { return "simulator" }
        let type = number(device, CL_DEVICE_TYPE, cl_device_type.self)
        if type & Int(CL_DEVICE_TYPE_GPU) != 0 { return "gpu" }
        return type & Int(CL_DEVICE_TYPE_CPU) != 0 ? "cpu" : "accelerator"
    }

    /// A platform's name.
    static func name(_ platform: cl_platform_id) -> String { platformText(platform, CL_PLATFORM_NAME) }

    // MARK: Questions

    private static func platformText(_ platform: cl_platform_id, _ what: Int32) -> String {
        text { ls_clGetPlatformInfo(platform, cl_platform_info(what), $0, $1, $2) }
    }

    private static func deviceText(_ device: cl_device_id, _ what: Int32) -> String {
        text { ls_clGetDeviceInfo(device, cl_device_info(what), $0, $1, $2) }
    }

    private static func text(
        _ ask: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
    ) -> String {
        var size = 0
        guard ask(0, nil, &size) == 0, size > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: size)
        guard ask(size, &bytes, nil) == 0 else { return "" }
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        return text.split(separator: " ").joined(separator: " ")
    }

    /// A number of the device, 0 if it does not say.
    private static func number<Value: FixedWidthInteger>(
        _ device: cl_device_id, _ what: Int32, _ type: Value.Type
    ) -> Int {
        var value = Value.zero
        let status = ls_clGetDeviceInfo(
            device, cl_device_info(what), MemoryLayout<Value>.size, &value, nil)
        return status == 0 ? Int(clamping: value) : 0
    }
}
