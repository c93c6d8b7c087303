import COpenCL
import Foundation

/// The OpenCL devices of this machine.
enum OpenCLDevices {
    /// Every device of every platform, simulators last, and what went wrong if there is none.
    static func all() -> (devices: [DeviceInfo], problem: String?) {
        let (candidates, problem) = candidates()
        return (candidates.map(\.info), problem)
    }

    /// Opens device `index` of `all()`, or the first GPU, else the first device.
    static func open(preferring index: Int?) throws(BackendError) -> any Backend {
        try OpenCLBackend(try candidate(index))
    }

    /// Device `index`, or the first GPU, else the first device.
    static func candidate(_ index: Int?) throws(BackendError) -> OpenCLCandidate {
        let (candidates, problem) = candidates()
        guard let first = candidates.first else {
            throw BackendError(.noDevice, problem ?? "there is no OpenCL device")
        }
        guard let index else { return candidates.first { $0.info.kind == "gpu" } ?? first }
        if candidates.indices.contains(index) { return candidates[index] }
        let list = candidates.map { "\($0.info.selector) is \($0.info.name)" }.joined(separator: ", ")
        throw BackendError(.noDevice, "there is no device opencl:\(index): \(list)")
    }

    /// Everything that can be opened, in the order of the selectors.
    static func candidates() -> (found: [OpenCLCandidate], problem: String?) {
        if !ls_cl_has_loader() {
            let reason = String(cString: ls_cl_loader_error())
            return ([], "no OpenCL loader library was found (\(reason)): \(howToInstall)")
        }
        let platforms = platforms()
        guard platforms.status == 0, !platforms.list.isEmpty else {
            return ([], noPlatform(CLStatus(rawValue: platforms.status)))
        }
        var pairs: [(cl_platform_id, cl_device_id)] = []
        for platform in platforms.list { pairs += devices(platform).map { (platform, $0) } }
        if pairs.isEmpty { return ([], noDevice(platforms.list)) }
        let isReal =
            { OpenCLCandidate.kind($0.0, $0.1) != "simulator" } as ((cl_platform_id, cl_device_id)) -> Bool
        let ordered = pairs.filter(isReal) + pairs.filter { !isReal($0) }
        return (ordered.enumerated().map { OpenCLCandidate($1.0, $1.1, index: $0) }, nil)
    }

    private static func platforms() -> (list: [cl_platform_id], status: cl_int) {
        var count: cl_uint = 0
        var status = ls_clGetPlatformIDs(0, nil, &count)
        if status != 0 || count == 0 { return ([], status) }
        var list = [cl_platform_id?](repeating: nil, count: Int(count))
        status = ls_clGetPlatformIDs(count, &list, nil)
        return (list.compactMap { $0 }, status)
    }

    private static func devices(_ platform: cl_platform_id) -> [cl_device_id] {
        var count: cl_uint = 0
        guard ls_clGetDeviceIDs(platform, ls_all_device_types(), 0, nil, &count) == 0, count > 0 else {
            return []
        }
        var list = [cl_device_id?](repeating: nil, count: Int(count))
        guard ls_clGetDeviceIDs(platform, ls_all_device_types(), count, &list, nil) == 0 else { return [] }
        return list.compactMap { $0 }.filter { device in
            var isAvailable: cl_bool = 0
            let size = MemoryLayout<cl_bool>.size
            return ls_clGetDeviceInfo(device, cl_device_info(CL_DEVICE_AVAILABLE), size, &isAvailable, nil)
                == 0
                && isAvailable != 0
        }
    }

    // MARK: What is wrong

    private static let howToInstall =
        "install ocl-icd-libopencl1 and a driver, such as pocl-opencl-icd for processors"

    /// The loader found no driver: because none is registered, or because none could be loaded.
    private static func noPlatform(_ status: CLStatus) -> String {
        let named = ProcessInfo.processInfo.environment["OCL_ICD_VENDORS"]
        let place = named.map { "OCL_ICD_VENDORS=\($0)" } ?? "/etc/OpenCL/vendors"
        let drivers = registeredDrivers(named ?? "/etc/OpenCL/vendors")
        if drivers.isEmpty {
            return "no OpenCL driver is registered: there is no .icd file in \(place) (\(status)); "
                + howToInstall
        }
        let list = drivers.map { "\($0.file) names \($0.library)" }.joined(separator: ", ")
        return "no registered OpenCL driver could be loaded from \(place) (\(status)): \(list); "
            + "check that these libraries and what they depend on are installed"
    }

    /// The driver libraries that `.icd` files name.
    private static func registeredDrivers(_ place: String) -> [(file: String, library: String)] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else { return [] }
        var names = [place]
        if isFolder.boolValue {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            names = files.sorted().map { "\(place)/\($0)" }
        }
        return names.filter { $0.hasSuffix(".icd") }.map { name in
            let text = (try? String(contentsOfFile: name, encoding: .utf8)) ?? ""
            let library = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return (String(name.split(separator: "/").last ?? ""), library.isEmpty ? "nothing" : library)
        }
    }

    private static func noDevice(_ platforms: [cl_platform_id]) -> String {
        let names = platforms.map { OpenCLCandidate.name($0) }
        var text = "no OpenCL platform has a device: \(names.joined(separator: ", "))"
        if names.contains(where: { $0.contains("Portable Computing Language") }) {
            text +=
                "; PoCL has none if its cache folder cannot be written: set POCL_CACHE_DIR, or HOME, to a folder "
                + "that can, and check POCL_DEVICES"
        }
        if names.contains(where: { $0.contains("rusticl") }) { text += "; rusticl needs RUSTICL_ENABLE" }
        return text
    }
}
