import Foundation

/// Numbers of a style that suit one device better than the defaults, found by `Tuner` and kept on disk for that
/// device and driver. They change how sums are cut, and so the last bits of results.
public struct Tuning: Codable, Hashable, Sendable {
    /// Which way of cutting kernels they belong to: `processor` or `graphics`.
    var kind: String
    /// See the properties of the same names of `OpenCLStyle`.
    var group: Int, reductionGroup: Int
    var tileRows: Int, tilePanels: Int
    var patchLimit: Int
    /// How many of the large tiles in local memory are left out.
    var skippedTiles: Int

    init(_ style: OpenCLStyle) {
        kind = style.hasManyItems ? "graphics" : "processor"
        (group, reductionGroup) = (style.group, style.reductionGroup)
        (tileRows, tilePanels) = (style.tileRows, style.tilePanels)
        patchLimit = style.patchLimit
        skippedTiles = 0
    }

    /// A style with these numbers; one of the other kind stays as it is.
    func applied(to style: OpenCLStyle) -> OpenCLStyle {
        guard kind == (style.hasManyItems ? "graphics" : "processor"), isSensible else { return style }
        var style = style
        (style.group, style.reductionGroup) = (group, reductionGroup)
        (style.tileRows, style.tilePanels) = (tileRows, tilePanels)
        style.patchLimit = patchLimit
        style.localTiles = Array(style.localTiles.dropFirst(skippedTiles))
        return style
    }

    /// Whether kernels can be made with these numbers at all.
    private var isSensible: Bool {
        (1...1024).contains(group) && (1...1024).contains(reductionGroup) && (1...16).contains(tileRows)
            && (1...3).contains(tilePanels) && patchLimit > 0 && (0...8).contains(skippedTiles)
    }

    // MARK: On disk

    private static func fileName(_ candidate: OpenCLCandidate) -> String {
        let info = candidate.info
        return StableHash.of(["tuning 2", info.platform, info.name, info.driver]) + ".tuning"
    }

    /// What is kept for a device; nil if there is nothing, or nothing that can be read.
    static func kept(for candidate: OpenCLCandidate, in folder: ProgramFolder?) -> Tuning? {
        guard let bytes = folder?.read(fileName(candidate)) else { return nil }
        return try? JSONDecoder().decode(Tuning.self, from: Data(bytes))
    }

    /// Keeps the numbers for a device. False if the folder cannot be written.
    func keep(for candidate: OpenCLCandidate, in folder: ProgramFolder) -> Bool {
        guard let data = try? JSONEncoder().encode(self) else { return false }
        folder.write(Array(data), Self.fileName(candidate))
        return Self.kept(for: candidate, in: folder) == self
    }
}
