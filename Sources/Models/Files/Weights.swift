import Graph

/// The tensors of a network as flat vectors.
public struct Weights: Sendable {
    /// Trainable tensors in layout order.
    public var parameters: [Double]
    /// Running statistics in layout order.
    public var state: [Double]

    /// Weights from flat vectors.
    public init(parameters: [Double], state: [Double]) { (self.parameters, self.state) = (parameters, state) }

    /// Reads the tensors of a network from a weight file: every one, no other, each of its shape.
    public static func read(_ path: String, for network: Network) throws(ModelError) -> Weights {
        var tensors: [String: NamedTensor] = [:]
        for tensor in try Safetensors.read(path) { tensors[tensor.name] = tensor }
        func flat(_ layout: ParameterLayout) throws(ModelError) -> [Double] {
            var values: [Double] = []
            values.reserveCapacity(layout.count)
            for entry in layout.entries {
                guard let tensor = tensors.removeValue(forKey: entry.name) ?? alias(entry.name, &tensors)
                else {
                    throw ModelError(
                        "\(path): tensor \"\(entry.name)\" \(entry.shape) is missing"
                            + (tensors.isEmpty ? "" : "; the file has \(names(tensors))"))
                }
                guard tensor.shape == entry.shape else {
                    throw ModelError(
                        "\(path): tensor \"\(entry.name)\" has shape \(tensor.shape), the model needs \(entry.shape)"
                    )
                }
                if let bad = tensor.values.firstIndex(where: { !$0.isFinite }) {
                    throw ModelError(
                        "\(path): tensor \"\(entry.name)\" holds \(tensor.values[bad]) at element \(bad)")
                }
                values += tensor.values
            }
            return values
        }
        let weights = Weights(parameters: try flat(network.layout), state: try flat(network.state))
        // PyTorch counts batches beside its running statistics; nothing here depends on the count.
        tensors = tensors.filter { !$0.key.hasSuffix(".num_batches_tracked") }
        guard tensors.isEmpty else {
            throw ModelError("\(path): the model has no tensor \(names(tensors))")
        }
        return weights
    }

    /// Residual blocks that name their parts: `3.body.0.weight` is `3.0.weight` here.
    private static func alias(_ name: String, _ tensors: inout [String: NamedTensor]) -> NamedTensor? {
        let key = tensors.keys.first { $0.replacingBody == name }
        return key.flatMap { tensors.removeValue(forKey: $0) }
    }

    private static func names(_ tensors: [String: NamedTensor]) -> String {
        let sorted = tensors.keys.sorted()
        return sorted.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ") + (sorted.count > 4 ? ", …" : "")
    }

    /// The bytes of a weight file with all tensors under their names.
    public func bytes(for network: Network, _ format: Safetensors.Format) -> [UInt8] {
        Safetensors.bytes(tensors(of: network), format)
    }

    /// Writes all tensors under their names.
    public func write(
        to path: String, for network: Network, _ format: Safetensors.Format = .float32
    ) throws(ModelError) {
        try Safetensors.write(tensors(of: network), to: path, format)
    }

    private func tensors(of network: Network) -> [NamedTensor] {
        func tensors(_ layout: ParameterLayout, _ flat: [Double]) -> [NamedTensor] {
            layout.entries.map { NamedTensor(name: $0.name, shape: $0.shape, values: Array(flat[$0.range])) }
        }
        return tensors(network.layout, parameters) + tensors(network.state, state)
    }
}

extension String {
    fileprivate var replacingBody: String {
        split(separator: ".").filter { $0 != "body" }.joined(separator: ".")
    }
}
