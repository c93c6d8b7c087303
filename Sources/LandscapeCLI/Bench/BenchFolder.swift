import Bench
import Data
import Foundation
import Report

/// The files of a benchmark: results, figure and report.
enum BenchFolder {
    private static let figureFiles = ["roofline.dat", "roofline.gp", "roofline.svg"]

    /// Makes the folder and sees whether it can be written to, before minutes are spent.
    static func prepare(_ path: String) throws -> ResultFolder {
        try ResultFolder(
            path, of: "bench", mark: "bench.json", replaces: ["report.html"] + figureFiles,
            optional: figureFiles)
    }

    static func write(_ file: BenchFile, to results: ResultFolder) throws {
        try writeAtomically([UInt8](JSON.encode(file)), to: results.path + "/bench.json")
        let folder = URL(fileURLWithPath: results.path)
        var figures: [DrawnFigure] = []
        if let figure = BenchFigure.roofline(file) {
            let drawn = try Gnuplot().draw(figure, in: folder)
            if let note = drawn.note { Console.note(note) }
            figures.append(drawn)
        }
        try report(file, figures).write(to: folder.appendingPathComponent("report.html"))
        try results.removeOld(except: figures.isEmpty ? [] : figureFiles)
    }

    private static func report(_ file: BenchFile, _ figures: [DrawnFigure]) -> Document {
        var document = Document(
            title: "What each device delivers",
            subtitle: "\(file.machine.system), \(file.machine.cores) cores, \(file.machine.date)")
        document.blocks.append(
            .paragraph(
                """
                Medians of repeated runs, each workload after its result was checked in float64. Shares are of the \
                fastest matrix product and the fastest copy measured on the same device; the roofline is the smaller of \
                the two bounds. Operations and bytes are those that the plans count.
                """))
        document.blocks += figures.map { .figure($0) }
        let tables = BenchTables(file)
        for device in file.devices {
            document.blocks.append(.heading("\(device.device.selector): \(device.device.name)"))
            let line = [device.problem, BenchTables.line(device.ceilings)].compactMap { $0 }
            document.blocks += line.map { .paragraph($0) }
            document.blocks += tables.tables(device.device.selector).map { .table($0.table) }
        }
        document.blocks += tables.notes.map { .paragraph($0) }
        return document
    }
}

/// The figure of a benchmark.
enum BenchFigure {
    /// Rates over operations per byte, under the roof of each device; nil where nothing has both. Four devices at most
    /// are shown.
    static func roofline(_ file: BenchFile) -> Figure? {
        let plots = file.devices.compactMap { plot($0, file.results) }.prefix(4)
        guard let first = plots.first else { return nil }
        let caption = """
            Each point is a measurement: operations per byte that its plan moves, and the rate reached. The dashed lines \
            are what the device delivers at most, measured on it: the fastest copy rises, the fastest matrix product is \
            flat.
            """
        return Figure(
            name: "roofline", title: "Rooflines", caption: caption,
            kind: plots.count == 1 ? .lines(first) : .panels(Array(plots)))
    }

    private static func plot(_ device: BenchDevice, _ results: [BenchResult]) -> LinePlot? {
        let mine = results.filter {
            $0.device == device.device.selector && $0.fractions?.roofline != nil && $0.work.flops > 0
                && $0.work.bytes > 0
        }
        guard let ceilings = device.ceilings, ceilings.bytes != nil, !mine.isEmpty else { return nil }
        func intensity(_ result: BenchResult) -> Double {
            Double(result.work.flops) / Double(result.work.bytes)
        }
        let all = mine.map(intensity)
        let low = log10(all.min()! / 2), high = log10(all.max()! * 2)
        let grid = (0...100).map { pow(10, low + (high - low) * Double($0) / 100) }
        let precisions = Set(mine.map(\.precision)).sorted { $0.rawValue < $1.rawValue }
        let roofs = precisions.compactMap { precision -> Series? in
            let roof = grid.compactMap { ceilings.attainable(intensity: $0, precision) }
            guard roof.count == grid.count else { return nil }
            return Series(
                "ceilings, \(precision.rawValue)" + (ceilings.isDisturbed == true ? " (machine busy)" : ""),
                x: grid, y: roof.map { $0 / 1e9 }, style: .dashed,
                role: precision == .float32 ? .reference : .other(1))
        }
        func points(_ name: String, _ members: [BenchResult]) -> Series? {
            if members.isEmpty { return nil }
            return Series(
                name, x: members.map(intensity), y: members.map { $0.rate($0.work.flops) / 1e9 },
                style: .points)
        }
        let ours = mine.filter { $0.library == nil }
        let points =
            Catalogue.groups.compactMap { group in points(group.name, ours.filter { $0.group == group.name })
            }
            + ForeignGEMM.names.compactMap { name in points(name, mine.filter { $0.library == name }) }
        return LinePlot(
            title: device.device.selector, x: Axis("operations per byte", isLogarithmic: true),
            y: Axis("rate", unit: "GFLOP/s", isLogarithmic: true), series: roofs + points)
    }
}
