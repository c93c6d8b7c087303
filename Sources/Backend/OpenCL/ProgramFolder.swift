import Foundation

/// Files that keep built programs between processes. Every file carries the hash of its contents; one that is
/// damaged, or cannot be read or written, counts as missing.
struct ProgramFolder: Sendable {
    /// The folder, which is made when something is first kept.
    let path: String

    /// `$LANDSCAPE_CACHE`, else `landscape` in the user's cache folder; nil if that is `off`.
    static let standard: ProgramFolder? = {
        let environment = ProcessInfo.processInfo.environment
        func folder(_ name: String) -> String? {
            environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        if let own = environment["LANDSCAPE_CACHE"], !own.isEmpty {
            return own == "off" ? nil : ProgramFolder(path: own)
        }
        if let base = folder("XDG_CACHE_HOME") { return ProgramFolder(path: base + "/landscape") }
        return folder("HOME").map { ProgramFolder(path: $0 + "/.cache/landscape") }
    }()

    private static let magic = Array("landscape program 1\n".utf8)

    /// The contents kept under a name.
    func read(_ name: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: "\(path)/\(name)") else { return nil }
        let head = Self.magic.count + 32
        guard data.count >= head, data.prefix(Self.magic.count).elementsEqual(Self.magic) else { return nil }
        let contents = Array(data.dropFirst(head))
        return data[Self.magic.count..<head].elementsEqual(Self.hash(contents)) ? contents : nil
    }

    /// Keeps contents under a name, if possible. Readers see the whole file or none.
    func write(_ contents: [UInt8], _ name: String) {
        let data = Data(Self.magic + Self.hash(contents) + contents)
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let temporary = "\(path)/\(name).\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: temporary, contents: data) else { return }
        if rename(temporary, "\(path)/\(name)") != 0 { unlink(temporary) }
    }

    private static func hash(_ contents: [UInt8]) -> [UInt8] {
        var hash = StableHash()
        hash.add(contents)
        return Array(hash.text.utf8)
    }
}
