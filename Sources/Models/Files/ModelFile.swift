import Foundation
import Graph
import Yams

/// Model files: YAML with `input: [C, H, W]` (or `[d]`) and a list `layers`.
public enum ModelFile {
    /// Reads a model file.
    public static func read(_ path: String) throws(ModelError) -> Network {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ModelError("\(path): no such model file, or it cannot be read")
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw ModelError("\(path): a model file is UTF-8 text")
        }
        return try parse(text, file: path)
    }

    /// Reads a model from text; `file` names it in messages.
    public static func parse(_ text: String, file: String) throws(ModelError) -> Network {
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            // The first lines say what and where; the rest draws the place.
            let lines = "\(error)".split(separator: "\n").prefix(2).filter { !$0.hasPrefix("Context") }
            let reason = lines.joined(separator: ", ")
            throw ModelError("\(file): not valid YAML: \(reason)")
        }
        guard let mapping = root?.mapping else {
            throw ModelError("\(file): a model file holds \"input\" and \"layers\"")
        }
        for key in mapping.keys where !["input", "layers"].contains(key.string) {
            throw ModelError(
                "\(file): unknown key \"\(key.string ?? "?")\"; expected \"input\" and \"layers\"")
        }
        let dims = mapping["input"]?.sequence?.compactMap(\.int) ?? []
        guard let count = mapping["input"]?.sequence?.count, count == dims.count, [1, 3].contains(count),
            dims.allSatisfy({ $0 > 0 })
        else {
            throw ModelError("\(file): \"input\" is [d] or [C, H, W] of positive numbers")
        }
        guard let list = mapping["layers"] else { throw ModelError("\(file): \"layers\" is missing") }
        let layers = try layers(list, file: file)
        do throws(ModelError) {
            return try Network(input: Shape(dims), layers: layers)
        } catch {
            throw ModelError("\(file): \(error)")
        }
    }

    /// Reads a list of layers.
    static func layers(_ node: Yams.Node, file: String) throws(ModelError) -> [any Layer] {
        guard let sequence = node.sequence else {
            throw ModelError("\(file): layers are a list, one \"- \" each")
        }
        var layers: [any Layer] = []
        for (index, item) in sequence.enumerated() {
            let line = item.mark.map { ":\($0.line)" } ?? ""
            var name = item.string
            var arguments: Yams.Node?
            if let mapping = item.mapping {
                guard mapping.count == 1, let (key, value) = mapping.first else {
                    throw ModelError("\(file)\(line): layer \(index) is one name with its arguments")
                }
                (name, arguments) = (key.string, value)
            }
            guard let name, let type = LayerRegistry.type(name) else {
                throw ModelError(
                    "\(file)\(line): unknown layer \"\(name ?? "?")\"; there are "
                        + LayerRegistry.names.joined(separator: ", "))
            }
            var reader = try LayerArguments(
                layer: type, arguments, file: file, place: "\(file)\(line): \(name)")
            layers.append(try type.init(&reader))
            try reader.finish()
        }
        return layers
    }

    /// The text of a model file that `parse` reads back to the same network.
    public static func text(_ network: Network) -> String {
        var text = "input: \(list(network.input.dims.map(String.init)))\nlayers:\n"
        for line in lines(network.layers) { text += "  \(line)\n" }
        return text
    }

    private static func lines(_ layers: [any Layer]) -> [String] {
        layers.flatMap { layer -> [String] in
            let name = type(of: layer).name
            if layer.arguments.isEmpty { return ["- \(name)"] }
            let isNested = layer.arguments.contains { if case .layers = $0.1 { true } else { false } }
            if !isNested {
                let arguments = layer.arguments.map { "\($0.0): \(scalar($0.1))" }
                return ["- \(name): {\(arguments.joined(separator: ", "))}"]
            }
            return ["- \(name):"]
                + layer.arguments.flatMap { key, value -> [String] in
                    guard case .layers(let inner) = value else { return ["    \(key): \(scalar(value))"] }
                    return ["    \(key):"] + lines(inner).map { "      \($0)" }
                }
        }
    }

    private static func scalar(_ value: ArgumentValue) -> String {
        switch value {
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .text(let value): value
        case .pair(let h, let w): h == w ? "\(h)" : "[\(h), \(w)]"
        case .numbers(let values): list(values.map { "\($0)" })
        case .layers: ""
        }
    }

    private static func list(_ items: [String]) -> String { "[\(items.joined(separator: ", "))]" }
}
