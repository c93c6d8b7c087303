/// Every kind of layer a model file may name.
enum LayerRegistry {
    static let types: [any Layer.Type] = [
        Dense.self, Conv.self, ReLU.self, GELU.self, Tanh.self, Sigmoid.self, Erf.self, Softplus.self,
        MaxPool.self, AveragePool.self, GlobalAveragePool.self, Flatten.self, BatchNorm.self, LayerNorm.self,
        Residual.self, Normalize.self, Subsample.self,
    ]

    /// The layer of a name.
    static func type(_ name: String) -> (any Layer.Type)? { types.first { $0.name == name } }

    /// All names.
    static var names: [String] { types.map { $0.name } }
}
