import ArgumentParser
import Backend
import Report

/// Finds the numbers by which kernels are cut best for a device.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Find the kernel parameters that suit an OpenCL device, and keep them for it.",
        discussion: """
            Tries tiles, groups and limits of working memory on products, convolutions and elementwise work. Every \
            candidate must give the right result before it is timed. The best are kept in the cache folder for this \
            device and driver, and every command uses them from then on; the last bits of results may change once. \
            Without tuning, devices have defaults for their kind.
            """)

    @Option(help: "opencl or opencl:N. `landscape devices` lists all.")
    var device = "opencl"

    @Option(help: "About how long the search may take.")
    var seconds = 60.0

    @Flag(help: "Print one JSON object on stdout instead of a table.")
    var json = false

    private struct Output: Encodable {
        var device: DeviceInfo
        var trials: [Tuner.Trial]
        var secondsBefore: Double
        var secondsAfter: Double
        var isKept: Bool
        var folder: String?
    }

    func validate() throws {
        if !(seconds > 0 && seconds <= 86_400) {
            throw ValidationError("--seconds is positive and at most a day, found \(seconds)")
        }
    }

    func run() throws {
        let tuner = try Tuner(selector: device, seconds: seconds)
        Console.progress("tuning \(tuner.device.name)")
        let outcome = try tuner.run { Console.progress("tried \($0.name)") }
        Console.clear()
        if json {
            try Console.json(
                Output(
                    device: tuner.device, trials: outcome.trials, secondsBefore: outcome.before,
                    secondsAfter: outcome.after, isKept: outcome.isKept,
                    folder: outcome.isKept ? Devices.cacheFolder : nil))
        } else {
            print(table(outcome).text)
            print(
                "\n\(tuner.device.name): \(formatSignificant(1e3 * outcome.before)) ms with the defaults, "
                    + "\(formatSignificant(1e3 * outcome.after)) ms with the best found")
            if outcome.isKept, let folder = Devices.cacheFolder { print("kept in \(folder)") }
        }
        if !outcome.isKept {
            Console.note("the numbers are not kept: the cache folder is off or cannot be written")
        }
    }

    private func table(_ outcome: Tuner.Outcome) -> Report.Table {
        var table = Report.Table(columns: ["candidate", Report.Column("ms", alignment: .right), "result"])
        table.rows = outcome.trials.map { trial in
            [
                trial.name, trial.seconds.map { formatSignificant(1e3 * $0) } ?? "–",
                trial.seconds == nil ? "failed" : trial.isBest ? "better" : "",
            ].map { Report.Cell($0) }
        }
        return table
    }
}
