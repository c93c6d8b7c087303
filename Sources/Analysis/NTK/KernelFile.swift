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
        let known = try Self.read(logPath)
        if let known {
            let differences = manifest.differences(from: known.manifest)
            guard differences.isEmpty else {
                throw DataError(
                    "'\(path)' holds another kernel: \(differences.joined(separator: ", ")) differ; choose another "
                        + "--output, or delete it and '\(logPath)'")
            }
        }
        // The manifest before the array: without it an array is nobody's.
        let descriptor = open(logPath, O_RDWR | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else {
            throw DataError("cannot write '\(logPath)': \(String(cString: strerror(errno)))")
        }
        log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw DataError("'\(path)' is being written by another process")
        }
        let exists = FileManager.default.fileExists(atPath: path)
        file = try NpyRegionFile(path, shape: manifest.shape, isWide: isWide, keeps: known != nil && exists)
        if let known, exists {
            for tile in known.tiles { try check(tile) }
            // A line that was cut off in the middle is ended.
            if known.isTorn { try append(Data("\n".utf8)) }
        } else {
            ftruncate(descriptor, 0)
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
            throw DataError("cannot write the manifest: the disk is full")
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
        let tiles = lines.dropFirst().compactMap { try? decoder.decode(KernelTile.self, from: $0) }
        return (manifest, tiles, data.last != UInt8(ascii: "\n"))
    }

    /// Takes a tile as done if its bytes are those that were written.
    private func check(_ tile: KernelTile) throws(DataError) {
        let rows = tile.rows[0]..<tile.rows[1], columns = tile.columns[0]..<tile.columns[1]
        var isSound = checksum(try file.read(rows, columns)) == tile.crc
        if isSound, let mirror = tile.mirror { isSound = checksum(try file.read(columns, rows)) == mirror }
        if isSound { done.insert([tile.i, tile.j]) } else { done.remove([tile.i, tile.j]) }
        (found, damaged) = (done.count, damaged + (isSound ? 0 : 1))
    }

    private func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { Checksum.crc32($0) } }

    /// Whether a tile is done.
    public func has(_ i: Int, _ j: Int) -> Bool { done.contains([i, j]) }

    /// Writes a tile and then its line in the manifest.
    public func write(
        _ i: Int, _ j: Int, rows: Range<Int>, columns: Range<Int>, isMirrored: Bool,
        _ elements: UnsafeRawBufferPointer
    ) throws {
        try file.write(rows, columns, elements)
        var mirror: UInt32?
        if isMirrored {
            let transposed =
                isWide
                ? transpose(elements.bindMemory(to: UInt64.self), rows.count, columns.count)
                : transpose(elements.bindMemory(to: UInt32.self), rows.count, columns.count)
            mirror = checksum(transposed)
            try transposed.withUnsafeBytes { try file.write(columns, rows, $0) }
        }
        let line = KernelTile(
            i: i, j: j, crc: Checksum.crc32(elements), mirror: mirror,
            rows: [rows.lowerBound, rows.upperBound],
            columns: [columns.lowerBound, columns.upperBound])
        try append(Self.line(line))
        done.insert([i, j])
    }

    /// Waits until the kernel is on the disk.
    public func finish() throws(DataError) {
        try file.synchronize()
        do { try log.synchronize() } catch { throw DataError("the manifest could not be written") }
    }

    private func transpose<Bits: FixedWidthInteger>(
        _ tile: UnsafeBufferPointer<Bits>, _ rows: Int, _ columns: Int
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: tile.count * MemoryLayout<Bits>.size) { bytes, count in
            bytes.withMemoryRebound(to: Bits.self) { target in
                // Small squares keep both sides in the cache.
                let edge = 32
                for plane in 0..<planes {
                    let base = plane * rows * columns
                    for top in stride(from: 0, to: rows, by: edge) {
                        for left in stride(from: 0, to: columns, by: edge) {
                            for row in top..<min(top + edge, rows) {
                                for column in left..<min(left + edge, columns) {
                                    target[base + column * rows + row] = tile[base + row * columns + column]
                                }
                            }
                        }
                    }
                }
            }
            count = tile.count * MemoryLayout<Bits>.size
        }
    }
}

extension KernelFile {
    /// Takes over the tiles of a finished kernel of the first samples, for a kernel with more samples.
    ///
    /// Tiles that lie inside the old kernel are copied; those that reach beyond it are computed. Throws if `old` is not
    /// a complete kernel of the same weights, model and kind.
    public func takeOver(
        _ old: String, _ manifest: KernelManifest, firstInputs: String
    ) throws {
        guard let known = try Self.read(Self.manifestPath(old)) else {
            throw DataError(
                "'\(Self.manifestPath(old))' is missing: only a kernel with its manifest can be appended to")
        }
        var expected = manifest
        expected.samples = known.manifest.samples
        expected.inputs = firstInputs
        expected.shape = known.manifest.shape
        expected.tile = known.manifest.tile
        let differences = expected.differences(from: known.manifest)
        guard differences.isEmpty, known.manifest.samples <= manifest.samples else {
            throw DataError(
                "'\(old)' is not the kernel of the first samples: \(differences.joined(separator: ", ")) differ"
            )
        }
        let source = try NpyRegionFile(old, shape: known.manifest.shape, isWide: isWide, keeps: true)
        let covered = Set(known.tiles.map { [$0.i, $0.j] }).count
        let oldTiles = (known.manifest.samples + known.manifest.tile - 1) / known.manifest.tile
        guard covered == oldTiles * (oldTiles + 1) / 2 else {
            throw DataError("'\(old)' is not complete: run the command that made it once more")
        }
        for tile in known.tiles {
            let rows = tile.rows[0]..<tile.rows[1], columns = tile.columns[0]..<tile.columns[1]
            guard checksum(try source.read(rows, columns)) == tile.crc else {
                throw DataError("'\(old)' is damaged: run the command that made it once more")
            }
        }
        let block = known.manifest.shape[known.manifest.shape.count - 1] / known.manifest.samples
        let tile = manifest.tile
        for i in 0..<known.manifest.samples / tile {
            for j in 0...i where !has(i, j) {
                let rows = i * tile * block..<(i + 1) * tile * block
                let columns = j * tile * block..<(j + 1) * tile * block
                try source.read(rows, columns).withUnsafeBytes {
                    try write(i, j, rows: rows, columns: columns, isMirrored: i != j, $0)
                }
            }
        }
    }

    /// Samples of a kernel file by its manifest.
    public static func sampleCount(_ path: String) throws(DataError) -> Int {
        guard let known = try read(manifestPath(path)) else {
            throw DataError(
                "'\(manifestPath(path))' is missing: only a kernel with its manifest can be appended to")
        }
        return known.manifest.samples
    }
}
