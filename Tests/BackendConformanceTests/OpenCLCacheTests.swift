import Foundation
import Graph
import Planner
import TestSupport
import Testing

@testable import Backend

/// Programs kept on disk: found again, rebuilt when damaged, never in the way.
extension ConformanceTests {
    @Suite(.enabled(if: TestDevices.wanted == nil)) struct OpenCLCacheTests {
        private let program = OpenCLTest.program { trace in
            let x = trace.input("x", [6, 5])
            return (x * x + x.sum([1]).broadcast(to: [6, 5])).matmul(x, transposeB: true)
        }

        private func built(_ index: Int, _ folder: ProgramFolder?) throws -> Int {
            let backend = try OpenCLTest.open(index, cache: folder)
            try Conformance.compare(program, OpenCLTest.values(program), backend, .float32, "cached")
            return backend.kernelsBuiltFromSource
        }

        private func files(_ path: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path).map { "\(path)/\($0)" }
        }

        @Test(arguments: OpenCLTest.indices)
        func kernelsAreBuiltOnce(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                let folder = ProgramFolder(path: path + "/new/folder")
                let all = try built(index, folder)
                #expect(all == 3)
                #expect(try built(index, folder) == 0)
                #expect(try built(index, nil) == all)
                // No temporary file is left: a program, and a file per kernel.
                #expect(try files(folder.path).count == 1 + all)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func sharedKernelsAreFoundFromAnotherPlan(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                _ = try built(index, ProgramFolder(path: path))
                let backend = try OpenCLTest.open(index, cache: ProgramFolder(path: path))
                _ = try backend.compile(OpenCLTest.program { $0.input("x", [9, 7]).sum([1]) }, .float32)
                #expect(backend.kernelsBuiltFromSource == 0)
                _ = try backend.compile(OpenCLTest.program { $0.input("x", [9, 7]).max([1]) }, .float32)
                #expect(backend.kernelsBuiltFromSource == 1)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func damagedFilesAreRebuilt(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                let folder = ProgramFolder(path: path)
                let all = try built(index, folder)
                for damage in [Data(), Data("short".utf8), nil] {
                    for file in try files(path) {
                        var data = try Data(contentsOf: URL(fileURLWithPath: file))
                        data[data.count - 1] ^= 1
                        try (damage ?? data).write(to: URL(fileURLWithPath: file))
                    }
                    #expect(try built(index, folder) == all)
                    #expect(try built(index, folder) == 0)
                }
                // Sound files with contents that no driver takes.
                for file in try files(path) where file.hasSuffix(".program") {
                    folder.write(Array("not a binary".utf8), String(file.dropFirst(path.count + 1)))
                }
                #expect(try built(index, folder) == all)
                // A kernel's file that names a program which is gone.
                for file in try files(path) where file.hasSuffix(".program") { unlink(file) }
                #expect(try built(index, folder) == all)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func foldersThatCannotBeWritten(_ index: Int) throws {
            try OpenCLTest.withFolder { path in
                try Data().write(to: URL(fileURLWithPath: path + "/file"))
                #expect(try built(index, ProgramFolder(path: path + "/file")) == 3)
                #expect(try built(index, ProgramFolder(path: "/proc/landscape")) == 3)
                chmod(path, 0o555)
                #expect(try built(index, ProgramFolder(path: path)) == 3)
            }
        }

        @Test(arguments: OpenCLTest.indices)
        func equalKernelsAreBuiltOncePerDevice(_ index: Int) throws {
            let backend = try OpenCLTest.open(index, cache: nil)
            for shape in [[4, 3], [40, 30], [1, 7]] as [Shape] {
                _ = try backend.compile(OpenCLTest.program { $0.input("x", shape) * 2.5 + 3 }, .float32)
            }
            #expect(backend.kernelsBuiltFromSource == 1)
        }
    }
}
