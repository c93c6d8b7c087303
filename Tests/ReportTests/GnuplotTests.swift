import Foundation
import Testing

@testable import Report

@Suite struct GnuplotTests {
    static let isInstalled = Gnuplot().executable != nil

    static let drawable: [Figure] = [
        Samples.lines(), Samples.lines(name: "log", isLogarithmic: true), Samples.panels(2),
        Samples.panels(3, name: "three"), Samples.panels(4, name: "four"),
        Samples.surface { x, y in x * x + y }, Samples.surface(name: "flat") { _, _ in 3 },
        Samples.surface(name: "decades", isLogarithmic: true) { x, y in x * x + 50 * y * y },
        Samples.heatMap(3) { Double($0 - $1) },
        Samples.heatMap(20, isLogarithmic: true) { $0 == $1 ? 0 : Double($0 * $0 + $1) },
        Figure(
            name: "spikes", title: "",
            kind: .lines(
                LinePlot(
                    x: Axis(""), y: Axis("", isLogarithmic: true),
                    series: [Series("eigenvalues", x: [1, 2], y: [1e-3, 10], style: .spikes)]))),
        Samples.surface(name: "holes") { x, y in x > 0.5 ? .nan : x + y },
        Figure(
            name: "single", title: "",
            kind: .lines(LinePlot(x: Axis(""), y: Axis(""), series: [Series("", x: [1], y: [2])]))),
        Figure(
            name: "extreme", title: "",
            kind: .lines(
                LinePlot(x: Axis(""), y: Axis(""), series: [Series("", x: [1, 2], y: [-1e308, 1e308])]))),
        Figure(
            name: "half", title: "",
            kind: .panels([
                LinePlot(x: Axis(""), y: Axis("", isLogarithmic: true), series: []),
                LinePlot(x: Axis(""), y: Axis(""), series: [Series("", x: [1, 2], y: [3, 4])]),
            ])),
    ]

    @Test(.enabled(if: isInstalled), arguments: drawable)
    func drawsEveryKind(_ figure: Figure) throws {
        try Samples.inFolder { folder in
            let drawn = try Gnuplot().draw(figure, in: folder)
            #expect(drawn.note == nil)
            let svg = try Samples.read(#require(drawn.svg))
            #expect(svg.contains("</svg>"))
            #expect(try XMLBalance.check(svg) == nil)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(files) == Set(["dat", "gp", "svg"].map { "\(figure.name).\($0)" }))
        }
    }

    @Test(.enabled(if: isInstalled)) func titlesShowLiterally() throws {
        try Samples.inFolder { folder in
            let svg = try Samples.read(#require(try Gnuplot().draw(Samples.lines(), in: folder).svg))
            #expect(svg.contains(#"λ_max {of} ε@1 "q" it's a^b \n &amp; &lt;x>"#))
        }
    }

    @Test func withoutGnuplotTheFilesAreThere() throws {
        try Samples.inFolder { folder in
            let stale = folder.appendingPathComponent("loss.svg")
            try "old".write(to: stale, atomically: true, encoding: .utf8)
            let drawn = try Gnuplot(searchPath: folder.path).draw(Samples.lines(), in: folder)
            #expect(drawn.svg == nil)
            #expect(drawn.reason == "gnuplot was not found")
            #expect(drawn.remedy == "install gnuplot, then run `gnuplot loss.gp` in \(folder.path)")
            #expect(FileManager.default.fileExists(atPath: drawn.data.path))
            #expect(FileManager.default.fileExists(atPath: drawn.script.path))
            #expect(!FileManager.default.fileExists(atPath: stale.path))
        }
    }

    @Test func failingGnuplotIsReported() throws {
        try Samples.inFolder { folder in
            let fake = folder.appendingPathComponent("gnuplot")
            try "#!/bin/sh\necho out of paper >&2\nexit 3\n".write(
                to: fake, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake.path)
            let drawn = try Gnuplot(searchPath: folder.path).draw(Samples.lines(), in: folder)
            #expect(drawn.svg == nil)
            #expect(drawn.reason == "gnuplot failed: out of paper")
        }
    }

    @Test func unwritableFolderIsNamed() throws {
        try Samples.inFolder { folder in
            // A file in the way stops even the superuser, unlike permissions.
            let file = folder.appendingPathComponent("file")
            try "".write(to: file, atomically: true, encoding: .utf8)
            let inside = file.appendingPathComponent("figures")
            #expect {
                try Gnuplot().draw(Samples.lines(), in: inside)
            } throws: { error in
                guard case .writeFailed(let path, _) = error as? ReportError else { return false }
                return path == inside.path
            }
        }
    }

    @Test(.enabled(if: getuid() != 0, "the superuser may write everywhere"))
    func readOnlyFolderIsNamed() throws {
        try Samples.inFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
            #expect(throws: ReportError.self) { try Gnuplot().draw(Samples.lines(), in: folder) }
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        }
    }
}
