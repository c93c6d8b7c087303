import Data
import Foundation
import Testing

/// The folder and the table of `landscape slice`.
@Suite(.serialized) struct SliceTests {
    private let folder: Scratch

    init() throws { folder = try Scratch() }

    private func slice(_ arguments: String...) throws -> Command.Result {
        try Command.run(
            [
                "slice", "--model", "mlp", "--data", "digits:test:10", "--points", "3", "--device", "cpu",
                "--output", folder.path("s"),
            ] + arguments)
    }

    private func names() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path("s")))
    }

    @Test func aSecondSliceLeavesNothingOfTheFirst() throws {
        let plane = try slice("--dimensions", "2", "--attack", "fgsm", "--epsilon", "0.1")
        #expect(plane.status == 0, "\(plane.errors)")
        #expect(try names().isSuperset(of: ["betas.npy", "adversarial-loss.npy", "slice.gp"]))
        _ = try folder.text("mine", "s/notes.txt")
        #expect(try slice().status == 0)
        #expect(try names().isDisjoint(with: ["betas.npy", "adversarial-loss.npy"]))
        #expect(try names().contains("notes.txt") && Npy.read(folder.path("s/loss.npy")).shape == [3])
    }

    @Test func filesOfOthersStay() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path("s"), withIntermediateDirectories: true)
        for name in ["betas.npy", "loss.npy"] { _ = try folder.text("mine", "s/" + name) }
        let result = try slice()
        #expect(result.errors.contains("replacing loss.npy, which"), "\(result.errors)")
        #expect(try readBytes(folder.path("s/betas.npy")) == Array("mine".utf8))
    }

    @Test func lossesThatAreNotFinite() throws {
        let result = try slice("--radius", "1e30")
        #expect(result.status == 0 && result.output.contains("2 of 3"), "\(result.output)")
        let lines = result.output.split(separator: "\n").filter { $0.contains("est loss") }
        #expect(lines.count == 2 && !lines.contains { $0.contains("nan") || $0.contains("inf") }, "\(lines)")
        let script = String(decoding: try readBytes(folder.path("s/slice.gp")), as: UTF8.self)
        #expect(script.contains("set xrange [-1e+30:1e+30]"), "\(script)")
    }
}
