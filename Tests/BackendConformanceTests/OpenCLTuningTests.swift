import TestSupport
import Testing

@testable import Backend

extension ConformanceTests {
    /// Numbers that tuning found are kept for a device, and only for what they belong to.
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLTuningTests {
        @Test(arguments: OpenCLTest.indices)
        func keptNumbersAreUsed(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                let candidate = try OpenCLDevices.candidate(index), folder = ProgramFolder(path: path)
                let plain = try OpenCLBackend(candidate, cache: folder).style
                #expect(Tuning.kept(for: candidate, in: folder) == nil)
                var numbers = Tuning(plain)
                numbers.patchLimit = 12345
                #expect(numbers.keep(for: candidate, in: folder))
                #expect(try OpenCLBackend(candidate, cache: folder).style.patchLimit == 12345)
                #expect(try OpenCLBackend(candidate, cache: nil).style.patchLimit == plain.patchLimit)
            }
        }

        @Test func numbersOfAnotherKindOrOutOfRangeAreIgnored() throws {
            let processor = OpenCLStyle.processor(lanes32: 16, lanes64: 8, cores: 2)
            var numbers = Tuning(OpenCLStyle.graphics)
            numbers.group = 32
            #expect(numbers.applied(to: processor).group == processor.group)
            #expect(numbers.applied(to: .graphics).group == 32)
            var wrong = Tuning(processor)
            wrong.tileRows = 0
            #expect(wrong.applied(to: processor).tileRows == processor.tileRows)
        }

        @Test func aProcessorOfItsOwnHasNothingToTune() {
            #expect(throws: BackendError.self) { try Tuner(selector: "cpu", seconds: 1) }
        }
    }
}
