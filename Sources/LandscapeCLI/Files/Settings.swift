import Foundation

/// Compares the settings in two files `config.json`.
enum Settings {
    /// What differs, as `training.seed 0 → 1`; texts that are long are only named.
    static func differences(_ old: Foundation.Data, _ new: Foundation.Data) -> [String] {
        guard let old = leaves(old), let new = leaves(new) else { return ["its config.json is damaged"] }
        let names = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
        if names.isEmpty { return ["its config.json is of another version"] }
        return names.map { name in
            let (before, after) = (old[name] ?? "none", new[name] ?? "none")
            return max(before.count, after.count) > 60 ? "\(name) differs" : "\(name) \(before) → \(after)"
        }
    }

    /// Settings and device by path, as JSON; nil if the file holds none.
    private static func leaves(_ data: Foundation.Data) -> [String: String]? {
        guard let record = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any],
            let configuration = record["configuration"] as? [String: Any]
        else { return nil }
        var found: [String: String] = [:]
        collect(configuration, "", &found)
        let device = record["device"] as? [String: Any] ?? [:]
        collect(device.filter { ["name", "backend"].contains($0.key) }, "device.", &found)
        return found
    }

    private static func collect(_ object: [String: Any], _ prefix: String, _ found: inout [String: String]) {
        for (key, value) in object {
            if let inner = value as? [String: Any], !inner.isEmpty {
                collect(inner, prefix + key + ".", &found)
            } else {
                let text = try? JSONSerialization.data(
                    withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes, .sortedKeys])
                found[prefix + key] = String(decoding: text ?? Foundation.Data(), as: UTF8.self)
            }
        }
    }
}
