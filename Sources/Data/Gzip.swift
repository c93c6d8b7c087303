/// Files packed by gzip.
public enum Gzip {
    /// Whether `bytes` begin as a gzip file does.
    public static func isGzip(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }

    /// The unpacked content of the gzip file at `path`; several members in a row are joined.
    ///
    /// Throws if the file cannot be read, is no gzip file, is truncated or corrupt.
    public static func read(_ path: String) throws(DataError) -> [UInt8] {
        try decompress(try readBytes(path), name: path)
    }

    /// The unpacked content of the gzip file `bytes`; `name` stands for it in errors. Throws as `read` does.
    public static func decompress(_ bytes: [UInt8], name: String) throws(DataError) -> [UInt8] {
        guard isGzip(bytes) else {
            throw DataError("\(name): not a gzip file: it does not begin with the bytes 1f 8b")
        }
        var output: [UInt8] = []
        var at = 0
        while at < bytes.count {
            // Some writers pad the end with zeros.
            if at > 0 && bytes[at...].allSatisfy({ $0 == 0 }) { break }
            guard bytes[at...].starts(with: [0x1F, 0x8B]) || bytes[at...] == [0x1F] else {
                throw DataError(
                    "\(name): corrupt gzip data: \(bytes.count - at) unknown bytes after the packed data"
                )
            }
            do {
                at = try inflate(bytes, in: at..<bytes.count, windowBits: 16 + 15, into: &output)
            } catch {
                switch error {
                case .truncated:
                    throw DataError(
                        "\(name): truncated gzip data: it ends at byte \(bytes.count), inside a member"
                    )
                case .corrupt(let why): throw DataError("\(name): corrupt gzip data: \(why)")
                case .tooLong: throw DataError("\(name): corrupt gzip data: too long")
                }
            }
        }
        return output
    }

    /// The content of the file at `path`, unpacked if it is a gzip file by content; throws as `read` does.
    static func readPlainOrPacked(_ path: String) throws(DataError) -> [UInt8] {
        let bytes = try readBytes(path)
        return isGzip(bytes) ? try decompress(bytes, name: path) : bytes
    }
}
