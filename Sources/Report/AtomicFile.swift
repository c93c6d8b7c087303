import Foundation

/// Files that are either complete or as they were before.
enum AtomicFile {
    /// Writes `text` to a temporary neighbour, then renames it.
    static func write(_ text: String, to url: URL) throws(ReportError) {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString).tmp")
        do {
            try Data(text.utf8).write(to: temporary)
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw failure(url, error)
        }
        guard rename(temporary.path, url.path) == 0 else {
            let reason = String(cString: strerror(errno))
            try? FileManager.default.removeItem(at: temporary)
            throw ReportError.writeFailed(path: url.path, reason: reason)
        }
    }

    /// Makes `folder` and those above it.
    static func makeFolder(_ folder: URL) throws(ReportError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw failure(folder, error)
        }
    }

    /// The system's own words where Foundation wraps them.
    private static func failure(_ url: URL, _ error: any Error) -> ReportError {
        let wrapped = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        let reason =
            if let wrapped, wrapped.domain == NSPOSIXErrorDomain {
                String(cString: strerror(Int32(wrapped.code)))
            } else {
                error.localizedDescription
            }
        return .writeFailed(path: url.path, reason: reason)
    }
}
