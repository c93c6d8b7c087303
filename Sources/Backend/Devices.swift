/// The devices of this machine, and which of them to use.
public enum Devices {
    /// All devices: the CPU backend first, then every OpenCL device.
    public static func all() -> [DeviceInfo] { [CPUBackend().device] + OpenCLDevices.all().devices }

    /// Opens a device by its selector: `auto`, `cpu`, `opencl` or `opencl:N`.
    ///
    /// `auto` takes the first OpenCL GPU and falls back to the CPU; then `note` says why in one line.
    public static func open(_ selector: String) throws(BackendError) -> (backend: any Backend, note: String?) {
        let parts = selector.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("cpu", 1):
            return (CPUBackend(), nil)
        case ("opencl", 1):
            return (try OpenCLDevices.open(preferring: nil), nil)
        case ("opencl", 2):
            guard let index = Int(parts[1]), index >= 0 else { break }
            return (try OpenCLDevices.open(preferring: index), nil)
        case ("auto", 1):
            return automatic()
        default: break
        }
        throw BackendError(
            .noDevice, "device \"\(selector)\" is unknown: expected auto, cpu, opencl or opencl:N (a number)")
    }

    private static func automatic() -> (backend: any Backend, note: String?) {
        let found = OpenCLDevices.all()
        guard let gpu = found.devices.firstIndex(where: { $0.kind == "gpu" }) else {
            let reason = found.problem ?? "no OpenCL GPU was found"
            return (CPUBackend(), "using the CPU: \(reason)")
        }
        do throws(BackendError) {
            return (try OpenCLDevices.open(preferring: gpu), nil)
        } catch {
            return (CPUBackend(), "using the CPU: \(found.devices[gpu].name) does not work: \(error)")
        }
    }
}
