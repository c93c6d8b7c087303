import Foundation

/// Writes figures as data and script, and draws them where gnuplot is installed.
public struct Gnuplot: Sendable {
    /// The program; nil where there is none.
    public let executable: URL?

    /// Looks for `gnuplot` in the folders of `searchPath`, by default those of the PATH variable.
    public init(searchPath: String? = nil) {
        let path = searchPath ?? ProcessInfo.processInfo.environment["PATH"] ?? ""
        executable = path.split(separator: ":").lazy
            .map { URL(fileURLWithPath: String($0), isDirectory: true).appendingPathComponent("gnuplot") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Writes `<name>.dat` and `<name>.gp` into `folder`, made if missing, and draws `<name>.svg`.
    ///
    /// A missing or failing gnuplot is not an error: the result says how to draw the figure later.
    /// Throws when the figure contradicts itself or a file cannot be written.
    public func draw(_ figure: Figure, in folder: URL) throws(ReportError) -> DrawnFigure {
        try figure.check()
        try AtomicFile.makeFolder(folder)
        let files = figure.files
        let stem = folder.appendingPathComponent(figure.name)
        try AtomicFile.write(files.data, to: stem.appendingPathExtension("dat"))
        try AtomicFile.write(files.script, to: stem.appendingPathExtension("gp"))
        let svg = stem.appendingPathExtension("svg")
        // A drawing of an earlier run must not pass for this one.
        try? FileManager.default.removeItem(at: svg)

        func notDrawn(_ reason: String, remedy: String?) -> DrawnFigure {
            DrawnFigure(figure: figure, folder: folder, svg: nil, reason: reason, remedy: remedy)
        }
        if let nothing = files.nothing { return notDrawn("nothing to draw: \(nothing)", remedy: nil) }
        let rerun = "run `gnuplot \(figure.name).gp` in \(folder.path)"
        guard let executable else {
            return notDrawn("gnuplot was not found", remedy: "install gnuplot, then \(rerun)")
        }
        if let failure = Gnuplot.run(executable, script: "\(figure.name).gp", in: folder) {
            try? FileManager.default.removeItem(at: svg)
            return notDrawn("gnuplot failed: \(failure)", remedy: "after mending gnuplot, \(rerun)")
        }
        guard FileManager.default.fileExists(atPath: svg.path) else {
            return notDrawn("gnuplot drew no file", remedy: "after mending gnuplot, \(rerun)")
        }
        return DrawnFigure(figure: figure, folder: folder, svg: svg, reason: nil, remedy: nil)
    }

    /// Runs the script in `folder`; nil on success, otherwise what went wrong.
    private static func run(_ executable: URL, script: String, in folder: URL) -> String? {
        let process = Process()
        let errors = Pipe()
        process.executableURL = executable
        // Without the user's own start-up file the figure is the same everywhere.
        process.arguments = ["-d", script]
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        do {
            try process.run()
        } catch {
            return "\(error)"
        }
        let output = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus != 0 else { return nil }
        let text = String(decoding: output, as: UTF8.self)
            .split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && $0 != "^" }
        return text.last ?? "exit status \(process.terminationStatus)"
    }
}

/// A figure whose files are written, and its drawing if there is one.
public struct DrawnFigure: Sendable {
    /// What was drawn.
    public let figure: Figure
    /// Where its files are.
    public let folder: URL
    /// The drawing; nil if there is none.
    public let svg: URL?
    /// Why there is no drawing.
    public let reason: String?
    /// How to make the drawing later, if that is possible.
    public let remedy: String?

    /// The data behind the figure.
    public var data: URL { folder.appendingPathComponent("\(figure.name).dat") }
    /// The gnuplot script.
    public var script: URL { folder.appendingPathComponent("\(figure.name).gp") }
    /// One line for the log when there is no drawing.
    public var note: String? {
        reason.map { "figure '\(figure.name)' not drawn: \($0)" + (remedy.map { "; \($0)" } ?? "") }
    }
}
