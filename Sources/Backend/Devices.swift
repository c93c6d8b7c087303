import Graph
import Planner

/// The devices of this machine, and which of them to use.
public enum Devices {
    /// All devices: the CPU backend first, then every OpenCL device.
    public static func all() -> [DeviceInfo] { [CPUBackend().device] + OpenCLDevices.all().devices }

    /// Opens a device by its selector: `auto`, `cpu`, `opencl` or `opencl:N`.
    ///
    /// `auto` takes the first OpenCL GPU and falls back to the CPU; then `note` says why in one line.
    public static func open(_ selector: String) throws(BackendError) -> (backend: any Backend, note: String?)
    {
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

    /// What is wrong with a device, found by running a small program on it; nil if it works.
    public static func problem(with selector: String) -> String? {
        do throws(BackendError) {
            let backend = try open(selector).backend
            let program = Program.trace { trace in
                let x = trace.input("x", [2, 2])
                return [("y", (x.matmul(x, transposeB: true) + 1).sum([1]))]
            }
            let executable = try backend.compile(program, .float32)
            let x = try backend.upload([1, 2, 3, 4], .float32), y = try backend.allocate(2, .float32)
            try executable.run(inputs: [x.all], outputs: [y.all])
            let found = try backend.download(y.all)
            return found == [18, 38] ? nil : "computes wrong results: \(found) instead of [18.0, 38.0]"
        } catch {
            return error.description
        }
    }

    private static func automatic() -> (backend: any Backend, note: String?) {
        let found = OpenCLDevices.all()
        guard let gpu = found.devices.firstIndex(where: { $0.kind == "gpu" }) else {
            let reason = found.problem ?? "no OpenCL GPU was found"
            return (CPUBackend(), "using the CPU: \(reason)")
        }
        let device = found.devices[gpu]
        if problem(with: device.selector) == nil, let backend = try? OpenCLDevices.open(preferring: gpu) {
            return (backend, nil)
        }
        let reason = problem(with: device.selector) ?? "it cannot be opened"
        return (CPUBackend(), "using the CPU: \(device.name) does not work: \(reason)")
    }
}
