/// The OpenCL devices of this machine.
enum OpenCLDevices {
    /// Every device of every platform, simulators last, and what went wrong if there is none.
    static func all() -> (devices: [DeviceInfo], problem: String?) { ([], "not here yet") }

    /// Opens device `index` of `all()`, or the first GPU, else the first device.
    static func open(preferring index: Int?) throws(BackendError) -> any Backend {
        throw BackendError(.noDevice, "not here yet")
    }
}
