import Foundation
import Graph

/// Groups of a model's parameters that belong together.
extension ParameterLayout {
    /// The layers with parameters, in order: tensors whose names differ in their last part only, such as `3.weight` and
    /// `3.bias` of layer `3`.
    public var layers: [(name: String, layout: ParameterLayout)] {
        var names: [String] = []
        for entry in entries where !names.contains(Self.layer(of: entry.name)) {
            names.append(Self.layer(of: entry.name))
        }
        return names.map { name in (name, selecting { Self.layer(of: $0) == name }) }
    }

    private static func layer(of name: String) -> String {
        name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    /// The tensors that a list such as `0,3.weight,.*bias` chooses. Each part is the name of a tensor, or of a layer or block
    /// that holds tensors, or else a regular expression for whole names.
    ///
    /// - Throws: `SelectionError` if a part chooses nothing or is no regular expression.
    public func selecting(_ list: String) throws(SelectionError) -> ParameterLayout {
        var chosen: Set<String> = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.trimmingCharacters(in: .whitespaces)
            var found = entries.map(\.name).filter { $0 == text || $0.hasPrefix(text + ".") }
            if found.isEmpty {
                guard let pattern = try? Regex(text) else {
                    throw SelectionError(
                        "\"\(text)\" is neither a tensor, nor a layer, nor a regular expression")
                }
                found = entries.map(\.name).filter { (try? pattern.wholeMatch(in: $0)) != nil }
            }
            if text.isEmpty || found.isEmpty {
                throw SelectionError(
                    "\"\(text)\" chooses nothing; the tensors are \(entries.prefix(12).map(\.name).joined(separator: ", "))"
                        + (entries.count > 12 ? " and \(entries.count - 12) more" : ""))
            }
            chosen.formUnion(found)
        }
        return selecting { chosen.contains($0) }
    }
}

/// Why a choice of parameters cannot be made.
public struct SelectionError: Error, CustomStringConvertible {
    /// What is wrong, with what was found.
    public let description: String
    init(_ description: String) { self.description = description }
}
