import Graph
import Planner

/// The devices of this machine, and which of them to use.
public enum Devices {
    /// The folder of built programs and of what tuning found; nil if nothing is kept.
    public static var cacheFolder: String? { ProgramFolder.standard?.path }

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
        var reason = found.problem ?? "no OpenCL GPU was found"
        for (index, device) in found.devices.enumerated() where device.kind == "gpu" {
            let problem = problem(with: device.selector)
            if problem == nil, let backend = try? OpenCLDevices.open(preferring: index) {
                return (backend, nil)
            }
            // One line: a build log may follow it.
            let line = problem?.split(separator: "\n").first.map(String.init) ?? "it cannot be opened"
            reason = "\(device.name) does not work: \(line)"
        }
        return (CPUBackend(), "using the CPU: \(reason)")
    }
}
