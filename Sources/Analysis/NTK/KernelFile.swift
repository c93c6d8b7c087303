import Data
import Foundation
import Planner

/// A kernel in a `.npy` file that grows tile by tile, and a manifest beside it that names every finished tile with its
/// checksum. A run that was killed at any moment is continued; a tile that is damaged is computed again.
public final class KernelFile: KernelSink {
    /// Tiles that were there and sound when the file was opened, and tiles that were damaged.
    public private(set) var found = 0, damaged = 0

    private let file: NpyRegionFile
    private let log: FileHandle
    private let isWide: Bool
    private let planes: Int
    private var done: Set<[Int]> = []

    /// The manifest of a kernel file.
    public static func manifestPath(_ path: String) -> String { path + ".manifest" }

    /// Creates a kernel file, or continues one that has the same manifest. Throws if the file belongs to another run,
    /// if another process works on it, or if the disk is full.
    public init(_ path: String, _ manifest: KernelManifest) throws(DataError) {
        isWide = manifest.precision == Precision.float64.rawValue
        planes = manifest.shape.count > 2 ? manifest.shape[0] : 1
        let logPath = Self.manifestPath(path)
        let descriptor = open(logPath, O_RDWR | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else {
            throw DataError("cannot write '\(logPath)': \(String(cString: strerror(errno)))")
        }
        log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw DataError("'\(path)' is being written by another process")
        }
        let known = try Self.read(logPath)
        if let known {
            let differences = manifest.differences(from: known.manifest)
            guard differences.isEmpty else {
                throw DataError(
                    "'\(path)' holds another kernel: \(differences.joined(separator: ", ")) differ; choose another "
                        + "--output, or delete it and '\(logPath)'")
            }
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? nil
        let exists = (size ?? 0) > 0
        guard known != nil || !exists else {
            unlink(logPath)
            throw DataError(
                "'\(path)' exists and has no manifest: it is no kernel of this command; choose another --output"
            )
        }
        // The manifest comes before the array: without it an array is nobody's.
        if known == nil || !exists { ftruncate(descriptor, 0) }
        file = try NpyRegionFile(path, shape: manifest.shape, isWide: isWide, keeps: known != nil && exists)
        if let known, exists {
            for tile in known.tiles { try check(tile) }
            (found, damaged) = (done.count, known.tiles.count - done.count)
            // A line that was cut off in the middle is ended.
            if known.isTorn { try append(Data("\n".utf8)) }
        } else {
            try append(Self.line(manifest))
        }
    }

    private static func line(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ((try? encoder.encode(value)) ?? Data()) + Data("\n".utf8)
    }

    private func append(_ data: Data) throws(DataError) {
        do { try log.write(contentsOf: data) } catch {
            throw DataError("cannot write the manifest: \(String(cString: strerror(errno)))")
        }
    }

    /// The lines of a manifest; nil if there is none. Lines that make no sense are left out.
    private static func read(
        _ path: String
    ) throws(DataError) -> (manifest: KernelManifest, tiles: [KernelTile], isTorn: Bool)? {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return nil }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        let decoder = JSONDecoder()
        guard let first = lines.first, let manifest = try? decoder.decode(KernelManifest.self, from: first)
        else {
            // Killed before its first line was complete.
            if !data.contains(UInt8(ascii: "\n")) { return nil }
            throw DataError(
                "'\(path)' is not the manifest of a kernel, or is damaged; delete it to begin again")
        }
        // A tile's last line counts: it may have been computed again.
        var tiles: [[Int]: KernelTile] = [:]
        for line in lines.dropFirst() {
            guard let tile = try? decoder.decode(KernelTile.self, from: line), tile.fits(manifest.shape)
            else { continue }
            tiles[[tile.i, tile.j]] = tile
        }
        return (manifest, Array(tiles.values), data.last != UInt8(ascii: "\n"))
    }

    /// Takes a tile as done if its bytes are those that were written.
    private func check(_ tile: KernelTile) throws(DataError) {
        if try Self.isSound(tile, in: file) { done.insert([tile.i, tile.j]) }
    }

    private static func isSound(_ tile: KernelTile, in file: NpyRegionFile) throws(DataError) -> Bool {
        func checksum(_ rows: Range<Int>, _ columns: Range<Int>) throws(DataError) -> UInt32 {
            let bytes = try file.read(rows, columns)
            return bytes.withUnsafeBytes { Checksum.crc32($0) }
        }
        let rows = tile.rows[0]..<tile.rows[1], columns = tile.columns[0]..<tile.columns[1]
        guard try checksum(rows, columns) == tile.crc else { return false }
        guard let mirror = tile.mirror else { return true }
        return try checksum(columns, rows) == mirror
    }

    /// Whether a tile is done.
    public func has(_ i: Int, _ j: Int) -> Bool { done.contains([i, j]) }

    /// Writes a tile and then its line in the manifest.
    public func write(_ i: Int, _ j: Int, _ tile: KernelBlock, mirror: KernelBlock?) throws {
        let line = KernelTile(
            i: i, j: j, crc: try put(tile), mirror: try mirror.map(put),
            rows: [tile.rows.lowerBound, tile.rows.upperBound],
            columns: [tile.columns.lowerBound, tile.columns.upperBound])
        try append(Self.line(line))
        done.insert([i, j])
    }

    /// Writes a block at its place; returns its checksum.
    private func put(_ block: KernelBlock) throws(DataError) -> UInt32 {
        var crc: UInt32 = 0
        for plane in 0..<planes {
            for (index, row) in block.rows.enumerated() {
                let bytes = block.row(index, plane: plane)
                crc = Checksum.crc32(bytes, after: crc)
                try file.write(plane, row, from: block.columns.lowerBound, bytes)
            }
        }
        return crc
    }

    /// Waits until the kernel is on the disk.
    public func finish() throws(DataError) {
        try file.synchronize()
        do { try log.synchronize() } catch { throw DataError("the manifest could not be written") }
    }
}

extension KernelFile {
    /// A finished kernel of the first samples, from which a larger one takes over tiles.
    public struct Old {
        fileprivate let file: NpyRegionFile
        fileprivate let manifest: KernelManifest

        /// Opens a kernel. Throws unless it is complete, sound, and of the same weights, model and kind as `larger`, whose
        /// first samples have the digest `firstInputs`.
        public init(_ path: String, for larger: KernelManifest, firstInputs: String) throws(DataError) {
            let known = try KernelFile.known(path)
            manifest = known.manifest
            var expected = larger
            (expected.samples, expected.inputs) = (manifest.samples, firstInputs)
            (expected.shape, expected.tile) = (manifest.shape, manifest.tile)
            guard manifest.samples <= larger.samples else {
                throw DataError(
                    "'\(path)' has \(manifest.samples) samples, more than the \(larger.samples) given now")
            }
            let differences = expected.differences(from: manifest)
            guard differences.isEmpty else {
                throw DataError(
                    "'\(path)' is not the kernel of the first samples: \(differences.joined(separator: ", ")) differ"
                )
            }
            file = try NpyRegionFile(
                path, shape: manifest.shape, isWide: manifest.precision == Precision.float64.rawValue,
                keeps: true, readsOnly: true)
            let count = (manifest.samples + manifest.tile - 1) / manifest.tile
            guard known.tiles.count == count * (count + 1) / 2 else {
                throw DataError("'\(path)' is not complete: run the command that made it once more")
            }
            for tile in known.tiles {
                guard try KernelFile.isSound(tile, in: file) else {
                    throw DataError("'\(path)' is damaged: run the command that made it once more")
                }
            }
        }
    }

    /// Copies the tiles that lie inside an old kernel.
    public func takeOver(_ old: Old, tile: Int) throws {
        let block = old.manifest.shape[old.manifest.shape.count - 1] / max(1, old.manifest.samples)
        for i in 0..<old.manifest.samples / tile {
            for j in 0...i where !has(i, j) {
                let rows = i * tile * block..<(i + 1) * tile * block
                let columns = j * tile * block..<(j + 1) * tile * block
                let (tile, mirror) = (try old.file.read(rows, columns), try old.file.read(columns, rows))
                try tile.withUnsafeBytes { tile in
                    try mirror.withUnsafeBytes { mirror in
                        try write(
                            i, j, wrapped(tile, rows, columns),
                            mirror: i == j ? nil : wrapped(mirror, columns, rows))
                    }
                }
            }
        }
    }

    private func wrapped(_ bytes: UnsafeRawBufferPointer, _ rows: Range<Int>, _ columns: Range<Int>)
        -> KernelBlock
    {
        KernelBlock(bytes, rows: rows, columns: columns, planes: planes, size: isWide ? 8 : 4)
    }

    /// What the manifest of a kernel file says. Throws if it has none.
    public static func manifest(_ path: String) throws(DataError) -> KernelManifest {
        try known(path).manifest
    }

    /// Whether the manifest of a kernel file names all of its tiles. Throws if it has none, or if the bytes of a tile are
    /// not those that were written.
    public static func isComplete(_ path: String) throws(DataError) -> Bool {
        let (manifest, tiles) = try known(path)
        let file = try NpyRegionFile(
            path, shape: manifest.shape, isWide: manifest.precision == Precision.float64.rawValue,
            keeps: true,
            readsOnly: true
        )
        for tile in tiles {
            guard try isSound(tile, in: file) else {
                throw DataError("'\(path)' is damaged: run the command that made it once more")
            }
        }
        func count(_ samples: Int) -> Int {
            let width = max(1, min(manifest.tile, samples))
            return (samples + width - 1) / width
        }
        let rows = count(manifest.samples)
        return tiles.count == (manifest.samples2.map { rows * count($0) } ?? rows * (rows + 1) / 2)
    }

    private static func known(_ path: String) throws(DataError) -> (
        manifest: KernelManifest, tiles: [KernelTile]
    ) {
        guard let known = try read(manifestPath(path)) else {
            throw DataError(
                "'\(manifestPath(path))' is missing or empty: it tells what '\(path)' holds")
        }
        return (known.manifest, known.tiles)
    }
}
