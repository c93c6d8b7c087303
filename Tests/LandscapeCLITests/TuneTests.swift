import Foundation
import Testing

/// `landscape tune` in a cache folder of its own.
@Suite(.serialized) struct TuneTests {
    @Test func aShortSearchIsKept() throws {
        let folder = try Scratch()
        let environment = ["LANDSCAPE_CACHE": folder.path("cache")]
        let result = try Command.run(["tune", "--seconds", "0.5", "--json"], environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        let json = try result.json()
        #expect(number(json["secondsAfter"]) <= number(json["secondsBefore"]))
        #expect(json["isKept"] as? Bool == true && json["folder"] as? String == folder.path("cache"))
        #expect(!result.output.contains("\\/"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("cache"))
        #expect(files.contains { $0.hasSuffix(".tuning") })
    }

    @Test func whatCannotBeTuned() throws {
        let cpu = try Command.run(["tune", "--device", "cpu"])
        #expect(cpu.status != 0 && cpu.errors.contains("only OpenCL devices"), "\(cpu.errors)")
        let none = try Command.run(["tune", "--device", "opencl:99"])
        #expect(none.status != 0 && none.errors.contains("opencl:99"), "\(none.errors)")
        let negative = try Command.run(["tune", "--seconds", "0"])
        #expect(negative.status != 0 && negative.errors.contains("--seconds"), "\(negative.errors)")
    }
}
