import Foundation
import Testing

@testable import Data

@Suite struct NpyStreamTests {
    @Test(arguments: [false, true]) func sameFileAsAtOnce(isWide: Bool) throws {
        try withFolder { folder in
            let values = (0..<24).map { Double($0) / 7 }, shape = [2, 3, 4]
            var stream = try NpyStream(replacing: folder + "/a.npy", shape: shape, isWide: isWide)
            for part in [0..<5, 5..<5, 5..<24] { try stream.write(Array(values[part])) }
            let isThere = FileManager.default.fileExists(atPath: folder + "/a.npy")
            #expect(!isThere)
            try stream.commit()
            let whole =
                isWide
                ? NDArray(shape: shape, doubles: values)
                : NDArray(shape: shape, floats: values.map { Float($0) })
            #expect(try readBytes(folder + "/a.npy") == Npy.encode(whole))
            #expect(try names(inFolder: folder) == ["a.npy"])
        }
    }

    @Test func unfinishedArraysLeaveNothing() throws {
        try withFolder { folder in
            func half() throws(DataError) {
                var stream = try NpyStream(replacing: folder + "/a.npy", shape: [4], isWide: true)
                try stream.write([1, 2])
                throw DataError("stopped")
            }
            expectError("stopped") { try half() }
            let left = try names(inFolder: folder)
            #expect(left.isEmpty)
            expectError("/none/a.npy") {
                _ = try NpyStream(replacing: folder + "/none/a.npy", shape: [4], isWide: true)
            }
        }
    }
}
