/// NumPy's `.npz` archives: named arrays in one file.
public struct Npz: Sendable, Equatable {
    /// One array of an archive.
    public struct Entry: Sendable, Equatable {
        /// The name without `.npy`.
        public var name: String
        /// The values.
        public var array: NDArray

        /// An entry of that name and content.
        public init(name: String, array: NDArray) {
            self.name = name
            self.array = array
        }
    }

    /// The arrays in the order of the archive.
    public var entries: [Entry]

    /// An archive of `entries`, whose names must differ.
    public init(_ entries: [Entry] = []) {
        precondition(Set(entries.map(\.name)).count == entries.count, "Npz: two entries have one name")
        self.entries = entries
    }

    /// The array called `name`; nil if there is none.
    public subscript(name: String) -> NDArray? {
        entries.first { $0.name == name }?.array
    }

    /// The arrays of the archive at `path`, or only those called `names`.
    ///
    /// Reads stored and deflated members, and passes over those that are no `.npy` files. Throws if the file
    /// cannot be read, is damaged or truncated, fails its checksums, or holds arrays that `Npy` does not
    /// read.
    public static func read(_ path: String, only names: Set<String>? = nil) throws(DataError) -> Npz {
        try decode(try readBytes(path), name: path, only: names)
    }

    /// The arrays in the `bytes` of an archive; `name` stands for it in errors. Throws as `read` does.
    public static func decode(
        _ bytes: [UInt8], name: String, only names: Set<String>? = nil
    ) throws(DataError) -> Npz {
        let directory = try ZipDirectory(bytes, name: name)
        var archive = Npz()
        for member in directory.members where member.name.hasSuffix(".npy") {
            let entry = String(member.name.dropLast(4))
            if let names, !names.contains(entry) { continue }
            guard archive[entry] == nil else {
                throw DataError("\(name): two members are called '\(member.name)', expected different names")
            }
            let content = try directory.content(of: member)
            let array = try Npy.decode(content, name: "\(name), member '\(member.name)'")
            archive.entries.append(Entry(name: entry, array: array))
        }
        return archive
    }

    /// Writes the archive to the file at `path`, stored as `numpy.savez` does, complete or not at all.
    ///
    /// Throws as `AtomicFile` does, and for 4 GiB or more (use `.npy` files then).
    public func write(to path: String) throws(DataError) {
        var file = try AtomicFile(replacing: path)
        var directory: [UInt8] = []
        var offset = 0
        for entry in entries {
            let content = Npy.encode(entry.array)
            let name = Array("\(entry.name).npy".utf8)
            guard offset + content.count + 2 * name.count + 1024 < 0xFFFF_FFFF, name.count <= 0xFFFF else {
                throw DataError(
                    "cannot write '\(path)': 4 GiB or more, expected less; write .npy files instead")
            }
            let fields = Self.fields(name: name, content: content)
            var local: [UInt8] = [0x50, 0x4B, 3, 4]
            local += fields + name
            directory += [0x50, 0x4B, 1, 2, 20, 0] + fields
            directory += [UInt8](repeating: 0, count: 10)
            directory.appendLittleEndian(offset, size: 4)
            directory += name
            try file.write(local)
            try file.write(content)
            offset += local.count + content.count
        }
        guard entries.count < 0xFFFF, offset + directory.count < 0xFFFF_FFFF else {
            throw DataError("cannot write '\(path)': \(entries.count) arrays are too many for one .npz file")
        }
        var end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
        end.appendLittleEndian(entries.count, size: 2)
        end.appendLittleEndian(entries.count, size: 2)
        end.appendLittleEndian(directory.count, size: 4)
        end.appendLittleEndian(offset, size: 4)
        end += [0, 0]
        try file.write(directory + end)
        try file.commit()
    }

    /// What local header and directory share: version 2.0, UTF-8 names, stored, 1 January 1980, sizes.
    private static func fields(name: [UInt8], content: [UInt8]) -> [UInt8] {
        var fields: [UInt8] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]
        fields.appendLittleEndian(Int(checksum(content)), size: 4)
        fields.appendLittleEndian(content.count, size: 4)
        fields.appendLittleEndian(content.count, size: 4)
        fields.appendLittleEndian(name.count, size: 2)
        fields.appendLittleEndian(0, size: 2)
        return fields
    }
}
