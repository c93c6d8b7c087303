import Foundation

/// The whole content of the file at `path`.
///
/// Throws if there is no such file, if it is a folder, or if it cannot be read.
public func readBytes(_ path: String) throws(DataError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError("cannot open '\(path)'", code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw DataError("cannot read '\(path)'", code: errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
        throw DataError("cannot read '\(path)': it is a folder, expected a file")
    }
    // One byte more than the file holds lets the read that meets the end happen without growing.
    var bytes: [UInt8] = []
    var capacity = Int(status.st_size) + 1
    while true {
        let (failure, ended) = append(to: &bytes, from: descriptor, room: capacity)
        guard failure == 0 else { throw DataError("cannot read '\(path)'", code: failure) }
        if ended { return bytes }
        capacity = max(bytes.count, 1 << 16)
    }
}

/// Reads up to `room` bytes; the error number (0 for none), and whether the end was reached.
private func append(to bytes: inout [UInt8], from descriptor: Int32, room: Int) -> (Int32, Bool) {
    var failure: Int32 = 0
    var ended = false
    let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
        while filled < room {
            let got = read(descriptor, buffer.baseAddress! + filled, min(room - filled, 1 << 30))
            if got > 0 {
                filled += got
            } else if got == 0 {
                ended = true
                return
            } else if errno != EINTR {
                failure = errno
                return
            }
        }
    }
    if bytes.isEmpty { bytes = piece } else { bytes += piece }
    return (failure, ended)
}

/// Makes the folder at `path` and those above it; one that is there is fine.
public func makeFolder(_ path: String) throws(DataError) {
    guard !path.isEmpty else { throw DataError("the name of the folder is empty, expected a path") }
    let failure = folderFailure(path)
    if failure != 0 { throw DataError("\(path): the folder cannot be made", code: failure) }
}

/// The error number of making a folder, 0 for none.
private func folderFailure(_ path: String) -> Int32 {
    if path.isEmpty || isFolder(path) { return 0 }
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    let failure = folderFailure(path.hasPrefix("/") ? "/" + parent : parent)
    if failure != 0 || mkdir(path, 0o777) == 0 { return failure }
    let code = errno
    // Another process may have made it meanwhile; a file in its place is no folder.
    return code != EEXIST ? code : isFolder(path) ? 0 : ENOTDIR
}

/// Adds `text` to the end of the file at `path`, which is made if needed.
public func appendText(_ text: String, to path: String) throws(DataError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw DataError("cannot write '\(path)'", code: errno) }
    let bytes = Array(text.utf8)
    let put = write(descriptor, bytes, bytes.count)
    let failure = put == bytes.count ? 0 : put < 0 ? errno : ENOSPC
    guard close(descriptor) == 0, failure == 0 else {
        throw DataError("cannot write '\(path)'", code: failure == 0 ? errno : failure)
    }
}

/// Throws what writing the file at `path` would throw at once, before work is spent on its contents. Nothing changes.
public func checkWritable(_ path: String) throws(DataError) {
    var status = stat()
    // Opening a pipe would already tell its reader that all is over.
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { return }
    // Never committed, so an earlier file stays.
    _ = try AtomicFile(replacing: path)
}

/// Whether `path` is a folder.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The names in the folder at `path`, sorted; throws if it is missing, no folder, or unreadable.
func names(inFolder path: String) throws(DataError) -> [String] {
    guard let folder = opendir(path) else { throw DataError("cannot open folder '\(path)'", code: errno) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// `folder` and `name` joined by one slash.
func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}

/// The system's words for an `errno`.
func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}
