import Foundation
import Testing

/// Which module may import which: the arrows of `docs/architecture.md`, from the package description and from the
/// import lines of the sources.
@Suite struct ImportArrowTests {
    /// Modules of this package that each module may import. Every list holds what its imports may import.
    static let allowed: [String: Set<String>] = [
        "Graph": [],
        "Planner": ["Graph"],
        "Backend": ["Planner", "Graph", "Kernels", "CKernels", "COpenBLAS", "COpenCL"],
        "Models": ["Graph"],
        "Data": ["CZlib", "CDigits"],
        "Training": ["Models", "Data", "Backend", "Planner", "Graph"],
        "Analysis": ["Graph", "Planner", "Backend", "Data"],
        "Report": [],
        "Bench": ["Training", "Analysis", "Models", "Data", "Backend", "Planner", "Graph"],
        "LandscapeCLI": [
            "Graph", "Planner", "Backend", "Models", "Data", "Training", "Analysis", "Report", "Bench",
        ],
    ]

    /// Modules from outside that each module may import besides the standard library.
    static let outside: [String: Set<String>] = [
        "Graph": ["Glibc"],
        "Planner": [],
        "Backend": ["Foundation", "Dispatch", "Glibc", "Synchronization"],
        "Models": ["Foundation", "Yams"],
        "Data": ["Foundation", "Glibc"],
        "Training": ["Foundation"],
        "Analysis": ["Foundation"],
        "Report": ["Foundation"],
        "Bench": ["Foundation"],
        "LandscapeCLI": ["Foundation", "ArgumentParser"],
    ]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func packageDescription() throws {
        let targets = try Self.describedTargets()
        #expect(Set(Self.allowed.keys).isSubset(of: targets.keys), "targets are missing from the package")
        for (module, allowed) in Self.allowed {
            let excess = targets[module, default: []].subtracting(allowed).subtracting([
                "Yams", "ArgumentParser",
            ])
            #expect(excess == [], "\(module) may not depend on \(excess.sorted())")
        }
    }

    @Test(arguments: allowed.keys.sorted())
    func importLines(_ module: String) throws {
        let path = module == "Bench" ? module : "Sources/\(module)"
        let folder = Self.root.appendingPathComponent(path)
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var count = 0
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            count += 1
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard let keyword = words.firstIndex(of: "import"), keyword <= 1, words.count > keyword + 1,
                    !line.hasPrefix("//"), !line.hasPrefix(" ")
                else { continue }
                let name = words[keyword + 1]
                let mayImport = Self.allowed[module]!.union(Self.outside[module]!)
                #expect(
                    mayImport.contains(name), "\(file.lastPathComponent): \(module) may not import \(name)")
            }
        }
        #expect(count > 0, "no sources found in \(folder.path)")
    }

    /// Dependencies of every target by name, as the package manager reads the manifest.
    private static func describedTargets() throws -> [String: Set<String>] {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "arrows-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        var result: [String: Set<String>] = [:]
        for target in object?["targets"] as? [[String: Any]] ?? [] {
            let dependencies = (target["dependencies"] as? [[String: Any]] ?? []).compactMap { entry in
                // {"byName": ["Graph", null]} or {"product": ["Yams", "Yams", …]}
                (entry.values.first as? [Any])?.first as? String
            }
            result[target["name"] as? String ?? ""] = Set(dependencies)
        }
        return result
    }
}
