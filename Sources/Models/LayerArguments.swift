import Yams

/// The value of one argument, for writing model files.
public enum ArgumentValue {
    case int(Int)
    case double(Double)
    case bool(Bool)
    case text(String)
    case pair(Int, Int)
    case numbers([Double])
    case layers([any Layer])
}

/// The arguments of one layer in a model file, read once each; what is left over is an error.
public struct LayerArguments {
    /// Where the layer stands, such as `m.yaml:7: dense`.
    public let place: String
    private let file: String
    private var nodes: [String: Node] = [:]

    init(layer: any Layer.Type, _ node: Node?, file: String, place: String) throws(ModelError) {
        (self.file, self.place) = (file, place)
        guard let node, node.tag != Tag(.null) else { return }
        if let mapping = node.mapping {
            for (key, value) in mapping {
                guard let name = key.string else { throw ModelError("\(place): an argument needs a name") }
                nodes[name] = value
            }
        } else if let short = layer.shortArgument {
            nodes[short] = node
        } else {
            throw ModelError("\(place) takes no argument")
        }
    }

    /// The largest count, and the largest kernel, stride or padding: products of a layer's extents fit an `Int`.
    private static let largest = 1 << 18, largestWindow = 1 << 10

    /// A whole number of at least `minimum`.
    public mutating func int(
        _ key: String, default fallback: Int? = nil, minimum: Int = 1
    ) throws(ModelError) -> Int {
        guard let node = try take(key, isNeeded: fallback == nil) else { return fallback! }
        guard let value = node.int, (minimum...Self.largest).contains(value) else {
            throw wrong(key, node, "a whole number from \(minimum) to \(Self.largest)")
        }
        return value
    }

    /// A finite number.
    public mutating func double(_ key: String, default fallback: Double? = nil) throws(ModelError) -> Double {
        guard let node = try take(key, isNeeded: fallback == nil) else { return fallback! }
        guard let value = node.float, value.isFinite else { throw wrong(key, node, "a number") }
        return value
    }

    /// A finite number, or nil if it is not given.
    public mutating func optionalDouble(_ key: String) throws(ModelError) -> Double? {
        nodes[key] == nil ? nil : try double(key)
    }

    /// True or false.
    public mutating func bool(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
        guard let node = try take(key, isNeeded: false) else { return fallback }
        guard let value = node.bool else { throw wrong(key, node, "true or false") }
        return value
    }

    /// One of several words.
    public mutating func word(
        _ key: String, default fallback: String, among words: [String]
    ) throws(ModelError) -> String {
        guard let node = try take(key, isNeeded: false) else { return fallback }
        guard let value = node.string, words.contains(value) else {
            throw wrong(key, node, "one of \(words.joined(separator: ", "))")
        }
        return value
    }

    /// A number for both axes, or `[h, w]`.
    public mutating func pair(
        _ key: String, default fallback: (Int, Int)? = nil, minimum: Int = 1
    ) throws(ModelError) -> (Int, Int) {
        guard let node = try take(key, isNeeded: fallback == nil) else { return fallback! }
        let allowed = minimum...Self.largestWindow
        if let value = node.int, allowed.contains(value) { return (value, value) }
        let values = node.sequence?.compactMap(\.int) ?? []
        guard node.sequence?.count == 2, values.count == 2, values.allSatisfy({ allowed.contains($0) }) else {
            throw wrong(key, node, "a whole number from \(minimum) to \(Self.largestWindow), or [h, w]")
        }
        return (values[0], values[1])
    }

    /// A number or a list of numbers.
    public mutating func numbers(_ key: String) throws(ModelError) -> [Double] {
        let node = try take(key, isNeeded: true)!
        if let value = node.float, value.isFinite { return [value] }
        let values = node.sequence?.compactMap(\.float).filter(\.isFinite) ?? []
        guard let count = node.sequence?.count, count == values.count, count > 0 else {
            throw wrong(key, node, "a number or a list of numbers")
        }
        return values
    }

    /// A list of layers; empty if it may be missing and is.
    public mutating func layers(_ key: String, isNeeded: Bool) throws(ModelError) -> [any Layer] {
        guard let node = try take(key, isNeeded: isNeeded) else { return [] }
        return try ModelFile.layers(node, file: file)
    }

    /// Throws if an argument was not read.
    func finish() throws(ModelError) {
        if let left = nodes.keys.sorted().first { throw ModelError("\(place) has no argument \"\(left)\"") }
    }

    private mutating func take(_ key: String, isNeeded: Bool) throws(ModelError) -> Node? {
        if let node = nodes.removeValue(forKey: key) { return node }
        if isNeeded { throw ModelError("\(place) needs the argument \"\(key)\"") }
        return nil
    }

    private func wrong(_ key: String, _ node: Node, _ expected: String) -> ModelError {
        let found = node.scalar?.string ?? "a list or mapping"
        return ModelError("\(place): \"\(key)\" is \(found), expected \(expected)")
    }
}
