import ArgumentParser
import Backend
import Bench
import Planner
import Report

/// Lists the devices and tells which one `auto` takes.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List the devices this machine has, and which one `auto` takes.",
        discussion: """
            The first column is what --device takes. Every device is tried with a small program; one that fails is \
            listed with the reason. --measure adds what each device delivers in --precision: the rate of a matrix \
            product and of a copy, medians of seven runs.
            """)

    @Option(help: "float32 or float64, for --measure.")
    var precision: Precision = .float32

    @Option(help: "Threads of the CPU backend, for --measure. Default: one per processor.")
    var threads: Int?

    @Flag(help: "Print one JSON object on stdout instead of a table.")
    var json = false

    @Flag(help: "Measure matrix products and copies on every device; takes a few seconds each.")
    var measure = false

    private struct Row: Encodable {
        var device: DeviceInfo
        var works: Bool
        var problem: String?
        var rates: DeviceRates?
    }

    private struct Output: Encodable {
        var devices: [Row]
        var auto: String
        var note: String?
    }

    func validate() throws {
        if !measure, threads != nil || precision != .float32 {
            throw ValidationError("--precision and --threads go with --measure")
        }
        try CommonOptions.use(threads: threads)
    }

    func run() throws {
        let rows = Devices.all().map { device in
            let problem = Devices.problem(with: device.selector)
            return Row(
                device: device, works: problem == nil, problem: problem,
                rates: measure && problem == nil ? rates(device) : nil)
        }
        let (chosen, note) = try Devices.open("auto")
        if json {
            try Console.json(Output(devices: rows, auto: chosen.device.selector, note: note))
            return
        }
        print(table(rows).text)
        print("\nauto takes \(chosen.device.selector)\(note.map { " (\($0))" } ?? "")")
    }

    /// The rates of a device; nil where it cannot run the precision.
    private func rates(_ device: DeviceInfo) -> DeviceRates? {
        Console.progress("measuring \(device.name)")
        defer { Console.clear() }
        return try? DeviceRates.measure(on: Devices.open(device.selector).backend, precision)
    }

    private func table(_ rows: [Row]) -> Report.Table {
        var table = Report.Table(
            columns: [
                "device", "name", "kind", Report.Column("units", alignment: .right),
                Report.Column("memory", alignment: .right), "float64", "driver", "works",
            ])
        if measure {
            table.columns += [
                Report.Column("GEMM GFLOP/s", alignment: .right),
                Report.Column("copy GB/s", alignment: .right),
            ]
        }
        table.rows = rows.map { row in
            let device = row.device
            let cells = [
                device.selector, device.name, device.kind, "\(device.computeUnits)",
                formatBytes(device.memoryBytes), device.hasFloat64 ? "yes" : "no", device.driver,
                row.problem ?? "yes",
            ]
            let rates = row.rates.map { [formatSignificant($0.gemmGFLOPS), formatSignificant($0.copyGBps)] }
            let measured = measure ? rates ?? ["–", "–"] : []
            return (cells + measured).map { Report.Cell($0) }
        }
        return table
    }
}
