import COpenCL
import Foundation

/// Programs by the kernels in them: built once per device, and kept on disk between processes.
///
/// All kernels that a plan misses are built as one program, kept in one file. A small file per kernel names
/// the program that holds it, so that plans which share kernels find them however they were built.
final class KernelLibrary {
    /// Kernels compiled from source so far.
    private(set) var builtFromSource = 0

    private let context: OpenCLContext
    private let folder: ProgramFolder?
    private let options: String
    /// What a binary depends on beside its source.
    private let identity: [String]
    private var programs: [String: OpenCLHandle] = [:]

    init(_ context: OpenCLContext, _ candidate: OpenCLCandidate, _ folder: ProgramFolder?) {
        self.context = context
        self.folder = folder
        var options = "-cl-std=CL1.2"
        if candidate.dividesExactly { options += " -cl-fp32-correctly-rounded-divide-sqrt" }
        // Oclgrind watches kernels as they are written; its plug-ins fail on some optimised code.
        if candidate.info.kind == "simulator" { options += " -cl-opt-disable" }
        self.options = options
        identity = [options, candidate.info.platform, candidate.info.name, candidate.info.driver]
    }

    /// Makes sure that all kernels are built.
    func prepare(_ sources: [KernelSource]) throws(BackendError) {
        var missing: [KernelSource] = []
        for source in sources
        where programs[source.name] == nil && !missing.contains(where: { $0.name == source.name }) {
            missing.append(source)
        }
        missing = load(missing)
        if missing.isEmpty { return }
        try build(missing)
    }

    /// A new kernel object of a prepared source.
    func makeKernel(_ source: KernelSource) throws(BackendError) -> OpenCLHandle {
        guard let program = programs[source.name] else {
            preconditionFailure("\(source.name) was not prepared")
        }
        var status: cl_int = 0
        let kernel = ls_clCreateKernel(program.pointer, source.name, &status)
        try context.check(status, "clCreateKernel(\(source.name))")
        guard let kernel else { throw BackendError(.device, "clCreateKernel gave no kernel") }
        return OpenCLHandle(kernel, context, ls_clReleaseKernel)
    }

    // MARK: Building

    private func build(_ sources: [KernelSource]) throws(BackendError) {
        let text = Self.text(sources)
        var status: cl_int = 0
        let program = ls_clCreateProgramWithSource(context.handle, text, text.utf8.count, &status)
        try context.check(status, "clCreateProgramWithSource")
        guard let program else { throw BackendError(.device, "clCreateProgramWithSource gave no program") }
        let handle = OpenCLHandle(program, context, ls_clReleaseProgram)
        status = ls_clBuildProgram(program, context.device, options)
        if status != 0 {
            throw BuildLog(text: text, log: log(program)).error(CLStatus(rawValue: status), options)
        }
        builtFromSource += sources.count
        for source in sources { programs[source.name] = handle }
        keep(program, sources)
    }

    private static func text(_ sources: [KernelSource]) -> String {
        let usesFloat64 = sources.contains { $0.usesFloat64 }
        let head = usesFloat64 ? "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" : ""
        return head + sources.map(\.text).joined(separator: "\n")
    }

    private func log(_ program: cl_program) -> String {
        var size = 0
        let what = cl_program_build_info(CL_PROGRAM_BUILD_LOG)
        guard ls_clGetProgramBuildInfo(program, context.device, what, 0, nil, &size) == 0, size > 0 else {
            return ""
        }
        var bytes = [UInt8](repeating: 0, count: size)
        guard ls_clGetProgramBuildInfo(program, context.device, what, size, &bytes, nil) == 0 else {
            return ""
        }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    // MARK: On disk

    private func fileName(_ source: KernelSource) -> String {
        StableHash.of(identity + [source.name, source.text]) + ".kernel"
    }

    /// Keeps a program, unless the device gives no binary.
    private func keep(_ program: cl_program, _ sources: [KernelSource]) {
        guard let folder else { return }
        var size = 0
        let wide = MemoryLayout<Int>.size
        guard ls_clGetProgramInfo(program, cl_program_info(CL_PROGRAM_BINARY_SIZES), wide, &size, nil) == 0,
            size > 0
        else { return }
        var bytes = [UInt8](repeating: 0, count: size)
        let status = bytes.withUnsafeMutableBufferPointer { buffer in
            var pointer = buffer.baseAddress
            return ls_clGetProgramInfo(
                program, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout<UnsafeRawPointer>.size, &pointer,
                nil)
        }
        guard status == 0 else { return }
        let name = StableHash.of(identity + sources.map(\.text)) + ".program"
        folder.write(bytes, name)
        for source in sources { folder.write(Array(name.utf8), fileName(source)) }
    }

    /// Finds kernels on disk and returns those that are not there.
    private func load(_ sources: [KernelSource]) -> [KernelSource] {
        guard let folder else { return sources }
        var loaded: [String: OpenCLHandle?] = [:]
        return sources.filter { source in
            guard let bytes = folder.read(fileName(source)) else { return true }
            let name = String(decoding: bytes, as: UTF8.self)
            let known = loaded[name] ?? folder.read(name).flatMap { program($0) }
            loaded[name] = .some(known)
            guard let known, contains(known, source.name) else { return true }
            programs[source.name] = known
            return false
        }
    }

    private func program(_ binary: [UInt8]) -> OpenCLHandle? {
        var status: cl_int = 0
        guard
            let program = ls_clCreateProgramWithBinary(
                context.handle, context.device, binary, binary.count, &status)
        else { return nil }
        let handle = OpenCLHandle(program, context, ls_clReleaseProgram)
        return status == 0 && ls_clBuildProgram(program, context.device, options) == 0 ? handle : nil
    }

    private func contains(_ program: OpenCLHandle, _ kernel: String) -> Bool {
        var status: cl_int = 0
        guard let kernel = ls_clCreateKernel(program.pointer, kernel, &status) else { return false }
        _ = ls_clReleaseKernel(kernel)
        return status == 0
    }
}

/// What a compiler said about a text.
struct BuildLog {
    let text: String
    let log: String

    /// The error for a person: status, options, log, and the lines of the text that the log names.
    func error(_ status: CLStatus, _ options: String) -> BackendError {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let quoted = namedLines.filter { lines.indices.contains($0 - 1) }.prefix(5)
        let source = quoted.map { "\n  line \($0): \(lines[$0 - 1])" }.joined()
        return BackendError(
            .build, "clBuildProgram failed with \(status), options \"\(options)\":\n\(log)\(source)")
    }

    /// Line numbers of messages such as `name:12:5: error: …` and `error: name:12:5: …`.
    private var namedLines: [Int] {
        var numbers: [Int] = []
        for line in log.split(separator: "\n") where line.contains("error") {
            let fields = line.split(separator: ":").map { Int($0.trimmingCharacters(in: .whitespaces)) }
            // The name may be a number too: line and column are the last two in a row.
            let places = zip(fields, fields.dropFirst()).compactMap { $1 == nil ? nil : $0 }
            if let number = places.last, !numbers.contains(number) { numbers.append(number) }
        }
        return numbers
    }
}
