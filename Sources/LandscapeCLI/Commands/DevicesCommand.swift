import ArgumentParser
import Backend
import Report

/// Lists the devices and tells which one `auto` takes.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List the devices this machine has, and which one `auto` takes.",
        discussion: """
            The first column is what --device takes. Every device is tried with a small program; one that fails is \
            listed with the reason.
            """)

    @OptionGroup var common: CommonOptions

    private struct Row: Encodable {
        var device: DeviceInfo
        var works: Bool
        var problem: String?
    }

    private struct Output: Encodable {
        var devices: [Row]
        var auto: String
        var note: String?
    }

    func run() throws {
        let rows = Devices.all().map { device in
            let problem = Devices.problem(with: device.selector)
            return Row(device: device, works: problem == nil, problem: problem)
        }
        let (chosen, note) = try Devices.open("auto")
        if common.json {
            try Console.json(Output(devices: rows, auto: chosen.device.selector, note: note))
            return
        }
        var table = Report.Table(
            columns: [
                "device", "name", "kind", Report.Column("units", alignment: .right),
                Report.Column("memory", alignment: .right), "float64", "driver", "works",
            ])
        table.rows = rows.map { row in
            [
                Report.Cell(row.device.selector), Report.Cell(row.device.name), Report.Cell(row.device.kind),
                Report.Cell("\(row.device.computeUnits)"), Report.Cell(formatBytes(row.device.memoryBytes)),
                Report.Cell(row.device.hasFloat64 ? "yes" : "no"), Report.Cell(row.device.driver),
                Report.Cell(row.problem ?? "yes"),
            ]
        }
        print(table.text)
        print("\nauto takes \(chosen.device.selector)\(note.map { " (\($0))" } ?? "")")
    }
}
