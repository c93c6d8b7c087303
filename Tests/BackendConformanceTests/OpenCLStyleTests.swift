import Foundation
import TestSupport
import Testing

@testable import Backend

extension ConformanceTests {
    /// Which style a device gets, and that it keeps it.
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLStyleTests {
        /// A measurement that was thought up, and the styles that were asked for.
        private final class Clock {
            var asked: [StyleChoice.Kind] = []
            let times: [StyleChoice.Kind: Double]
            init(_ times: [StyleChoice.Kind: Double]) { self.times = times }
            func seconds(_ kind: StyleChoice.Kind) -> Double? {
                asked.append(kind)
                return times[kind]
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func theFasterStyleIsKept(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                let choice = StyleChoice(
                    candidate: try OpenCLDevices.candidate(index), folder: ProgramFolder(path: path))
                let first = Clock([.processor: 2, .graphics: 1])
                #expect(choice.kind(measuredBy: first.seconds) == .graphics)
                #expect(first.asked.count == 2)
                // From now on nothing is measured, whatever it would say.
                let second = Clock([.processor: 1, .graphics: 9])
                #expect(choice.kind(measuredBy: second.seconds) == .graphics)
                #expect(second.asked.isEmpty)
                let backend = try OpenCLBackend(choice.candidate, cache: choice.folder)
                #expect(backend.style.hasManyItems)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func noiseDoesNotDecide(_ index: Int) throws {
            let candidate = try OpenCLDevices.candidate(index)
            for times in [[.processor: 1, .graphics: 1.2], [.processor: 1.2, .graphics: 1], [:]]
                as [[StyleChoice.Kind: Double]]
            {
                try OpenCLTest.withFolder { path in
                    let choice = StyleChoice(candidate: candidate, folder: ProgramFolder(path: path))
                    #expect(choice.kind(measuredBy: Clock(times).seconds) == choice.suggestion)
                }
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func aStyleThatFailsIsNotChosen(_ index: Int) throws {
            let candidate = try OpenCLDevices.candidate(index)
            for kind in StyleChoice.Kind.allCases {
                try OpenCLTest.withFolder { path in
                    let choice = StyleChoice(candidate: candidate, folder: ProgramFolder(path: path))
                    #expect(choice.kind(measuredBy: Clock([kind: 5]).seconds) == kind)
                }
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func aDamagedChoiceIsMeasuredAgain(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                let folder = ProgramFolder(path: path)
                let choice = StyleChoice(candidate: try OpenCLDevices.candidate(index), folder: folder)
                #expect(choice.kind(measuredBy: Clock([.processor: 1, .graphics: 9]).seconds) == .processor)
                // Damaged, and whole but of another version.
                try Array("graphics".utf8).write(to: "\(path)/\(choice.fileName)")
                #expect(choice.kind(measuredBy: Clock([.processor: 9, .graphics: 1]).seconds) == .graphics)
                folder.write(Array("something else".utf8), choice.fileName)
                #expect(choice.kind(measuredBy: Clock([.processor: 1, .graphics: 9]).seconds) == .processor)
            }
        }

        /// Without a place to keep it, a measured choice could be another one next time.
        @Test(arguments: OpenCLTest.indices)
        func withoutAFolderTheTypeDecides(_ index: Int) throws {
            let candidate = try OpenCLDevices.candidate(index)
            let places = [nil, ProgramFolder(path: "/proc/nowhere")]
            for folder in places {
                let choice = StyleChoice(candidate: candidate, folder: folder)
                let clock = Clock([.processor: 9, .graphics: 9]).seconds
                #expect(choice.kind(measuredBy: clock) == choice.suggestion)
            }
            let other = StyleChoice(candidate: candidate, folder: places[1])
            let faster: StyleChoice.Kind = other.suggestion == .processor ? .graphics : .processor
            #expect(other.kind(measuredBy: Clock([faster: 1]).seconds) == other.suggestion)
            #expect(
                try OpenCLBackend(candidate, cache: nil).style.hasManyItems == candidate.style.hasManyItems)
        }

        /// The measurement itself, on a device that is known.
        @Test(arguments: OpenCLTest.indices)
        func processorsGetTheirStyle(_ index: Int) throws {
            let candidate = try OpenCLDevices.candidate(index)
            guard candidate.info.platform.contains("Portable Computing Language"),
                candidate.info.kind == "cpu"
            else { return }
            try OpenCLTest.withFolder { path in
                let choice = StyleChoice(candidate: candidate, folder: ProgramFolder(path: path))
                #expect(choice.kind == .processor)
                #expect(choice.folder?.read(choice.fileName) == Array("processor".utf8))
            }
        }
    }
}

extension [UInt8] {
    /// Writes the bytes to a file as they are.
    fileprivate func write(to path: String) throws {
        try Data(self).write(to: URL(fileURLWithPath: path))
    }
}
