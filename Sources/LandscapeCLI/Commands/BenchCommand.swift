import ArgumentParser
import Backend
import Bench
import Data
import Foundation
import Planner
import Report

/// What each device really delivers.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure what each device really delivers.",
        discussion: """
            Examples:
              landscape bench --quick
              landscape bench --device cpu --only gemm --only work/mlp --output runs/bench
              landscape bench --compare before.json after.json --fail-below 0.9

            Times matrix products, copies, launches, convolutions and the package's own work on every device, each \
            after its result was checked in float64, and sets them against the fastest matrix product and copy of the \
            same device. `docs/bench.md` says how to read the tables.

            --serve reads names of measurements from stdin, one per line, and answers each with a line of JSON that \
            has the seconds of one run; `check NAME` compares a result instead.
            """)

    @Option(help: "A device as `landscape devices` lists it; may be repeated. All devices unless given.")
    var device: [String] = []

    @Option(
        help: ArgumentHelp(
            "What to measure: a name that --list shows, or its first parts; may be repeated.",
            discussion:
                "work takes the whole group, work/cnn all of that network, work/cnn/loss one measurement."))
    var only: [String] = []

    @Flag(help: "A few measurements with small budgets: under a minute.")
    var quick = false

    @Flag(help: "List the measurements and stop.")
    var list = false

    @Option(help: "Seconds for the repeats of one measurement, 2.5 unless given, or 0.3 with --quick.")
    var budget: Double?

    @Option(help: "Seed of all inputs.")
    var seed: UInt64 = 0

    @Option(help: "float32 or float64; matrix products are measured in both.")
    var precision: Precision = .float32

    @Option(help: "Threads of the CPU backend. Default: one per processor.")
    var threads: Int?

    @Flag(help: "CPU backend: 3×3 convolutions by Winograd's minimal filtering.")
    var winograd = false

    @Option(help: "Folder for bench.json, the roofline figure and report.html.")
    var output: String?

    @Option(
        parsing: .upToNextOption,
        help: "Two files, first.json second.json: compare two runs instead of measuring.")
    var compare: [String] = []

    @Option(help: "With --compare: fail if a speed fell below this share of the first run's, beyond noise.")
    var failBelow: Double?

    @Flag(help: "Answer requests on stdin with times of single runs.")
    var serve = false

    @Flag(help: "Print one JSON object on stdout instead of tables.")
    var json = false

    @Flag(help: "Print the ten steps that took the most time, checks included, on stderr at the end.")
    var profile = false

    func validate() throws {
        if !compare.isEmpty, compare.count != 2 {
            throw ValidationError("--compare takes two files, found \(compare.count)")
        }
        if let failBelow {
            if compare.isEmpty { throw ValidationError("--fail-below needs --compare with two files") }
            if !(failBelow > 0) || !failBelow.isFinite {
                throw ValidationError("--fail-below is a positive number, found \(failBelow)")
            }
        }
        if let budget, !(budget > 0 && budget <= 3600) {
            throw ValidationError("--budget is above 0 and at most 3600 seconds, found \(budget)")
        }
        if serve, device.count > 1 { throw ValidationError("--serve takes one --device") }
        try CommonOptions.use(threads: threads)
        CPUBackend.useWinograd(winograd)
        try refuse(measuring, if: !compare.isEmpty, beside: "--compare")
        try refuse(
            measuring.subtracting([
                "--device", "--seed", "--precision", "--threads", "--winograd", "--profile",
            ]), if: serve,
            beside: "--serve")
    }

    /// The options that say what to measure, and how, of those that were given.
    private var measuring: Set<String> {
        let given: [(String, Bool)] = [
            ("--device", !device.isEmpty), ("--only", !only.isEmpty), ("--quick", quick), ("--list", list),
            ("--budget", budget != nil), ("--seed", seed != 0), ("--precision", precision != .float32),
            ("--threads", threads != nil), ("--winograd", winograd), ("--output", output != nil),
            ("--profile", profile),
        ]
        return Set(given.filter(\.1).map(\.0) + (compare.isEmpty || !serve ? [] : ["--serve"]))
    }

    private func refuse(_ options: Set<String>, if applies: Bool, beside other: String) throws {
        if applies, !options.isEmpty {
            let names = options.sorted().joined(separator: ", ")
            throw ValidationError("\(names): no effect beside \(other)")
        }
    }

    private var options: BenchOptions {
        let rule = SamplingRule(budget: budget ?? (quick ? 0.3 : 2.5))
        return BenchOptions(
            isQuick: quick, only: only, precision: precision, seed: seed, rule: rule,
            rounds: quick ? 2 : 3, threads: threads)
    }

    func run() throws {
        if !compare.isEmpty { return try runComparison() }
        if list { return try printList() }
        try Profiling.begin(isAsked: profile)
        if serve { return try runServer() }
        let run = try BenchRun(options)
        let devices = try selectors()
        let folder = try output.map { try BenchFolder.prepare($0) }
        var shown = Set<String>()
        let file = run.run(on: devices) { device, id in
            if Console.isTerminal {
                Console.progress("\(device.selector): \(id)")
            } else if shown.insert(device.selector).inserted {
                Console.note("measuring \(device.selector), \(device.name)")
            }
        }
        Console.clear()
        if file.results.isEmpty, file.failures.isEmpty {
            throw CommandError("nothing that was chosen is available on \(devices.joined(separator: ", "))")
        }
        if json { try Console.json(file) } else { BenchTables(file).show() }
        if let folder { try BenchFolder.write(file, to: folder) }
        if let first = file.failures.first {
            let rest = file.failures.count > 1 ? ", and \(file.failures.count - 1) more" : ""
            throw CommandError("\(first.device), \(first.id): \(first.problem)\(rest)")
        }
    }

    /// The devices to measure, each opened once so that a wrong name is told at once.
    private func selectors() throws -> [String] {
        if device.isEmpty { return Devices.all().map(\.selector) }
        var selectors: [String] = []
        for name in device {
            let selector = try Devices.open(name).backend.device.selector
            if !selectors.contains(selector) { selectors.append(selector) }
        }
        return selectors
    }

    private func printList() throws {
        let workloads = try Catalogue.select(only, from: Catalogue.workloads(precision), quick: quick)
        if json {
            struct Entry: Encodable { var id: String, group: String, isQuick: Bool }
            return try Console.json(
                workloads.map { Entry(id: $0.id, group: $0.group, isQuick: $0.isQuick) })
        }
        for workload in workloads { print(workload.id) }
    }

    private func runServer() throws {
        let server = try BenchServer(device.first ?? "auto", options)
        while let line = readLine() {
            print(try server.answer(line))
            fflush(nil)
        }
    }

    private func runComparison() throws {
        let first = try BenchFile.read(compare[0]), second = try BenchFile.read(compare[1])
        let comparison = Comparison(first, second)
        if comparison.rows.isEmpty {
            throw CommandError("\(compare[0]) and \(compare[1]) have no measurement on the same device")
        }
        if json { try Console.json(comparison) } else { print(BenchTables.table(comparison)) }
        guard let failBelow else { return }
        var problems: [String] = []
        let slow = comparison.rows(below: failBelow)
        if !slow.isEmpty {
            let names = slow.map { "\($0.device) \($0.id)" }.joined(separator: ", ")
            problems.append(
                "\(slow.count) of \(comparison.rows.count) measurements fell below "
                    + "\(formatSignificant(failBelow)) of their speed: \(names)")
        }
        // What failed or was left out has no speed at all.
        if !comparison.missing.isEmpty {
            problems.append("\(compare[1]) lacks " + comparison.missing.joined(separator: ", "))
        }
        if !problems.isEmpty { throw CommandError(problems.joined(separator: "; ")) }
    }
}
