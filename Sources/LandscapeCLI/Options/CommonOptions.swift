import ArgumentParser
import Backend
import Foundation
import Planner

extension Precision: ExpressibleByArgument {}

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "auto, cpu, opencl or opencl:N.",
            discussion:
                "auto takes the first OpenCL GPU and falls back to the CPU. `landscape devices` lists all."))
    var device = "auto"

    @Option(help: "Seed of all random numbers: the same seed gives the same numbers on every device.")
    var seed: UInt64 = 0

    @Option(help: "float32 or float64.")
    var precision: Precision = .float32

    @Option(
        help:
            "Samples per pass through the device. Training depends on it; other results only in their last digits."
    )
    var batchSize = 64

    @Option(help: "Threads of the CPU backend; results do not depend on them. Default: one per processor.")
    var threads: Int?

    @Flag(
        help:
            "CPU backend: 3×3 convolutions by Winograd's minimal filtering. Faster, with other rounding errors of the same size."
    )
    var winograd = false

    @Flag(help: "Print one JSON object on stdout instead of a table.")
    var json = false

    @Flag(help: "Print the ten steps that took the most time on stderr at the end.")
    var profile = false

    func validate() throws {
        try Self.use(threads: threads)
        CPUBackend.useWinograd(winograd)
        if !(1...1 << 20).contains(batchSize) {
            throw ValidationError("--batch-size is between 1 and 1,048,576, found \(batchSize)")
        }
    }

    /// Sets the threads of the CPU backend, if any were asked for.
    static func use(threads: Int?) throws {
        guard let threads else { return }
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads is between 1 and 256, found \(threads)")
        }
        CPUBackend.useThreads(threads)
    }

    /// Opens the device; a fallback is told on stderr.
    func open() throws -> any Backend {
        try Profiling.begin(isAsked: profile)
        let (backend, note) = try Devices.open(device)
        if let note { Console.note(note) }
        if precision == .float64, !backend.device.hasFloat64, device == "auto" {
            Console.note("using the CPU: \(backend.device.name) has no float64 arithmetic")
            return CPUBackend()
        }
        if precision == .float64, !backend.device.hasFloat64 {
            throw CommandError("--precision float64: \(backend.device.name) has no float64 arithmetic")
        }
        if winograd, backend.device.backend != "cpu" {
            Console.note("--winograd has an effect on the CPU alone")
        }
        return backend
    }
}

/// Bad input that no library call has named yet.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
