import Foundation

/// A file that appears under its name complete, or not at all.
///
/// The bytes go to a temporary file in the same folder, which `commit` renames. An `AtomicFile` that ends
/// without `commit` removes its temporary and leaves an earlier file of that name as it was. Links are
/// followed, so the file they name is replaced; a device such as `/dev/null` is written directly.
public struct AtomicFile: ~Copyable {
    private let path: String
    private let target: String
    private let temporary: String?
    private var descriptor: Int32

    /// Starts to replace, or to create, the file at `path`.
    ///
    /// Throws if `path` is a folder or a file marked read-only, or if its folder is missing or not writable.
    public init(replacing path: String) throws(DataError) {
        self.path = path
        (descriptor, target, temporary) = try Self.start(path)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let temporary { unlink(temporary) }
    }

    /// Appends `bytes`; throws if the disk is full or fails.
    public mutating func write(_ bytes: [UInt8]) throws(DataError) {
        try write(bytes.span.bytes)
    }

    /// Appends the memory of an array, as in `file.write(values.span.bytes)`; throws as above.
    public mutating func write(_ bytes: RawSpan) throws(DataError) {
        let descriptor = descriptor
        let failure: Int32 = bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let put = Foundation.write(
                    descriptor, bytes.baseAddress! + done, min(bytes.count - done, 1 << 30))
                if put < 0 && errno != EINTR { return errno }
                done += max(put, 0)
            }
            return 0
        }
        guard failure == 0 else { throw DataError("cannot write '\(path)'", code: failure) }
    }

    /// Puts the file in its place; throws if that fails, and then the earlier file stays. Call it once, last.
    public mutating func commit() throws(DataError) {
        precondition(descriptor >= 0, "commit is called once")
        var failure: Int32 = 0
        if temporary != nil && fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0 && failure == 0 { failure = errno }
        descriptor = -1
        guard let temporary else {
            if failure != 0 { throw DataError("cannot write '\(path)'", code: failure) }
            return
        }
        if failure == 0 && rename(temporary, target) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(temporary)
            throw DataError("cannot write '\(path)'", code: failure)
        }
    }

    /// Opens what the bytes go to first; its descriptor, the final path, and the temporary path if there is
    /// one.
    private static func start(_ path: String) throws(DataError) -> (Int32, String, String?) {
        guard !path.isEmpty else { throw DataError("cannot write: the file name is empty, expected a path") }
        var target = path
        var earlierMode: mode_t?
        var status = stat()
        if stat(path, &status) == 0 {
            let kind = status.st_mode & S_IFMT
            guard kind != S_IFDIR else {
                throw DataError("cannot write '\(path)': it is a folder, expected a file name")
            }
            if kind != S_IFREG { return (try descriptor(path, O_WRONLY, for: path), path, nil) }
            guard status.st_mode & 0o222 != 0, access(path, W_OK) == 0 else {
                throw DataError("cannot write '\(path)': a file of that name exists and is read-only")
            }
            if let resolved = realpath(path, nil) {
                target = String(cString: resolved)
                free(resolved)
            }
            earlierMode = status.st_mode & 0o777
        }
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
        let unique = String(UInt64.random(in: 0 ... .max), radix: 16)
        let temporary = "\(folder).landscape-\(getpid())-\(unique).tmp"
        let descriptor = try descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL, for: path)
        if let earlierMode { _ = fchmod(descriptor, earlierMode) }
        return (descriptor, target, temporary)
    }

    private static func descriptor(
        _ opened: String, _ flags: Int32, for path: String
    ) throws(DataError) -> Int32 {
        let descriptor = open(opened, flags | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw DataError("cannot write '\(path)'", code: errno) }
        return descriptor
    }
}

/// Writes `bytes` to the file at `path`, which appears complete or not at all.
///
/// Throws as `AtomicFile` does; an earlier file is then untouched and no temporary remains.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws(DataError) {
    var file = try AtomicFile(replacing: path)
    try file.write(bytes)
    try file.commit()
}
