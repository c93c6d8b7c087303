import Foundation
import Testing

@testable import Data

@Suite struct AtomicFileTests {
    @Test func replacesAndLeavesNoTemporary() throws {
        try withFolder { folder in
            let path = folder + "/a.bin"
            try writeAtomically([1, 2, 3], to: path)
            try writeAtomically([4], to: path)
            #expect(try readBytes(path) == [4])
            try writeAtomically([], to: path)
            #expect(try readBytes(path) == [])
            #expect(try names(inFolder: folder) == ["a.bin"])
        }
    }

    /// A writer that stops half-way, as one does when the disk is full.
    @Test func withoutCommitNothingChanges() throws {
        try withFolder { folder in
            let path = folder + "/a.bin"
            try writeAtomically([1, 2, 3], to: path)
            func fail() throws(DataError) {
                var file = try AtomicFile(replacing: path)
                try file.write([9, 9])
                #expect(try names(inFolder: folder).count == 2)
                throw DataError("stopped")
            }
            expectError("stopped") { try fail() }
            #expect(try readBytes(path) == [1, 2, 3])
            #expect(try names(inFolder: folder) == ["a.bin"])
        }
    }

    @Test func readOnlyFile() throws {
        try withFolder { folder in
            let path = folder + "/a.npy"
            try writeAtomically([1], to: path)
            chmod(path, 0o444)
            let array = NDArray(shape: [1], floats: [1])
            expectError(path, "read-only") { try Npy.write(array, to: path) }
            #expect(try readBytes(path) == [1])
            #expect(try names(inFolder: folder) == ["a.npy"])
        }
    }

    @Test func readOnlyOrMissingFolder() throws {
        try withFolder { folder in
            let array = NDArray(shape: [1], floats: [1])
            expectError(folder + "/no/a.npy", "No such file") {
                try Npy.write(array, to: folder + "/no/a.npy")
            }
            expectError(folder, "it is a folder") { try Npy.write(array, to: folder) }
            expectError("is empty") { try Npy.write(array, to: "") }
            chmod(folder, 0o555)
            defer { chmod(folder, 0o755) }
            // Root may write anywhere.
            guard geteuid() != 0 else { return }
            expectError(folder, "Permission denied") { try Npy.write(array, to: folder + "/a.npy") }
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDisk() {
        let array = NDArray(shape: [1], floats: [1])
        expectError("/dev/full", "No space left") { try Npy.write(array, to: "/dev/full") }
        expectError("/dev/full", "No space left") {
            try Npz([.init(name: "x", array: array)]).write(to: "/dev/full")
        }
    }

    @Test func followsLinksAndKeepsPermissions() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder + "/sub", withIntermediateDirectories: false)
            let target = folder + "/sub/real.bin"
            try writeAtomically([1], to: target)
            chmod(target, 0o640)
            symlink("sub/real.bin", folder + "/link.bin")
            try writeAtomically([2], to: folder + "/link.bin")
            #expect(try readBytes(target) == [2])
            var status = stat()
            #expect(lstat(folder + "/link.bin", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
            #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o640)
        }
    }
}
