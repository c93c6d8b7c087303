import Analysis
import Data
import Foundation
import Testing

/// Kernel files: continued after a kill, damaged tiles found, other runs refused, larger kernels built on smaller ones.
@Suite struct KernelFileTests {
    private func manifest(_ n: Int, tile: Int = 3, weights: String = "w", inputs: String = "x")
        -> KernelManifest
    {
        KernelManifest(
            shape: [n, n], precision: "float32", kind: .trace, tile: tile, samples: n, samples2: nil,
            inputs: inputs,
            inputs2: nil, weights: weights, model: "m")
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder + "/k.npy")
    }

    /// The tiles of a symmetric matrix of whole numbers that a file lacks; returns how many there were.
    @discardableResult
    private func fill(_ file: KernelFile, _ n: Int, tile: Int = 3, most: Int = .max) throws -> Int {
        var written = 0
        for i in 0..<(n + tile - 1) / tile {
            for j in 0...i where !file.has(i, j) && written < most {
                let rows = i * tile..<min(n, (i + 1) * tile), columns = j * tile..<min(n, (j + 1) * tile)
                let values = rows.flatMap { row in columns.map { Float(entry(row, $0)) } }
                let transposed = columns.flatMap { column in rows.map { Float(entry($0, column)) } }
                try values.withUnsafeBytes { tile in
                    try transposed.withUnsafeBytes { mirror in
                        try file.write(
                            i, j, KernelBlock(tile, rows: rows, columns: columns, planes: 1, size: 4),
                            mirror: i == j
                                ? nil : KernelBlock(mirror, rows: columns, columns: rows, planes: 1, size: 4))
                    }
                }
                written += 1
            }
        }
        return written
    }

    private func entry(_ i: Int, _ j: Int) -> Double { Double(max(i, j) * 100 + min(i, j)) }

    private func expected(_ n: Int) -> [Double] { (0..<n).flatMap { i in (0..<n).map { entry(i, $0) } } }

    @Test func tilesAndTheirMirrors() throws {
        try inFolder { path in
            let file = try KernelFile(path, manifest(8))
            #expect(try fill(file, 8) == 6)
            try file.finish()
            let array = try Npy.read(path)
            #expect(array.shape == [8, 8] && array.doubles == expected(8))
        }
    }

    @Test func continuesAfterAKill() throws {
        try inFolder { path in
            for step in 0..<3 {
                let file = try KernelFile(path, manifest(8))
                #expect(file.found == 2 * step && file.damaged == 0)
                try fill(file, 8, most: 2)
                // Cut off in the middle of a line.
                let log = try #require(FileHandle(forWritingAtPath: KernelFile.manifestPath(path)))
                try log.seekToEnd()
                try log.write(contentsOf: Data("{\"columns\":[0,".utf8))
            }
            let file = try KernelFile(path, manifest(8))
            #expect(try fill(file, 8) == 0)
            #expect(try Npy.read(path).doubles == expected(8))
        }
    }

    @Test func damageIsFound() throws {
        try inFolder { path in
            do { try fill(try KernelFile(path, manifest(8)), 8) }
            let bytes = try #require(FileManager.default.contents(atPath: path))
            let header = bytes.count - 8 * 8 * 4
            // Row 0, column 7 lies in the mirror image of tile (2, 0); row 4, column 4 in tile (1, 1).
            for place in [7, 4 * 8 + 4] {
                var damaged = bytes
                damaged[header + place * 4] ^= 1
                try damaged.write(to: URL(fileURLWithPath: path))
                let file = try KernelFile(path, manifest(8))
                #expect(file.damaged == 1 && file.found == 5)
                #expect(try fill(file, 8) == 1)
                #expect(try Npy.read(path).doubles == expected(8))
            }
        }
    }

    @Test func otherRunsAreRefused() throws {
        try inFolder { path in
            do { try fill(try KernelFile(path, manifest(8)), 8, most: 1) }
            func message(_ manifest: KernelManifest) -> String {
                do {
                    _ = try KernelFile(path, manifest)
                    return ""
                } catch { return "\(error)" }
            }
            #expect(message(manifest(8, weights: "v")).contains("the weights differ"))
            #expect(message(manifest(8, inputs: "y")).contains("the samples differ"))
            #expect(
                message(manifest(9)).contains("the number of samples (8 before, 9 now)")
                    || !message(manifest(9)).isEmpty)
            #expect(message(manifest(8)).isEmpty)
            try Data("something".utf8).write(to: URL(fileURLWithPath: path))
            #expect(message(manifest(8)).contains("truncated"))
            #expect(message(manifest(8, tile: 4)).contains("the tile (3 before, 4 now)"))
            try Data("not a manifest\n".utf8).write(to: URL(fileURLWithPath: KernelFile.manifestPath(path)))
            #expect(message(manifest(8)).contains("is not the manifest"))
        }
    }

    @Test func twoAtOnceAreRefused() throws {
        try inFolder { path in
            let first = try KernelFile(path, manifest(8))
            #expect(throws: DataError.self) { try KernelFile(path, manifest(8)) }
            try fill(first, 8)
        }
    }

    @Test func largerKernelsTakeOverWholeTiles() throws {
        try inFolder { path in
            do { try fill(try KernelFile(path, manifest(8, inputs: "first")), 8) }
            let larger = try KernelFile(path + "2", manifest(11))
            func old(_ path: String, _ larger: KernelManifest, _ first: String) throws -> KernelFile.Old {
                try KernelFile.Old(path, for: larger, firstInputs: first)
            }
            try larger.takeOver(old(path, manifest(11), "first"), tile: 3)
            // Tiles (0, 0), (1, 0) and (1, 1) lie inside the first 8.
            #expect(larger.has(0, 0) && larger.has(1, 0) && larger.has(1, 1) && !larger.has(2, 0))
            #expect(try fill(larger, 11) == 7)
            #expect(try Npy.read(path + "2").doubles == expected(11))
            #expect(throws: DataError.self) { try old(path, manifest(11), "others") }
            #expect(throws: DataError.self) { try old(path, manifest(11, weights: "v"), "first") }
            #expect(throws: DataError.self) { try old(path, manifest(7), "first") }
            let unfinished = try KernelFile(path + "4", manifest(8, inputs: "first"))
            try fill(unfinished, 8, most: 3)
            #expect(throws: DataError.self) { try old(path + "4", manifest(11), "first") }
        }
    }

    /// A line of a manifest that cannot be is passed over, and of two lines for a tile the last one counts.
    @Test func linesThatCannotBe() throws {
        try inFolder { path in
            do { try fill(try KernelFile(path, manifest(8)), 8) }
            let log = KernelFile.manifestPath(path)
            var text = try String(contentsOfFile: log, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").last { $0.contains("\"i\":0") })
            text = text.replacingOccurrences(of: String(line), with: "")
            let wrong = line.replacingOccurrences(of: "\"crc\":", with: "\"crc\":1")
            let backwards = line.replacingOccurrences(of: "\"rows\":[0,3]", with: "\"rows\":[260,0]")
            try (text + "\n" + wrong + "\n" + line + "\n" + backwards + "\n").write(
                toFile: log, atomically: true, encoding: .utf8)
            let file = try KernelFile(path, manifest(8))
            #expect(file.found == 6 && file.damaged == 0)
        }
    }

    /// An array that is nobody's kernel stays as it is.
    @Test func foreignArraysAreRefused() throws {
        try inFolder { path in
            try Npy.write(NDArray(shape: [8, 8], storage: .float32((0..<64).map(Float.init))), to: path)
            #expect(throws: DataError.self) { try KernelFile(path, manifest(8)) }
            #expect(try Npy.read(path).doubles == (0..<64).map(Double.init))
        }
    }
}
