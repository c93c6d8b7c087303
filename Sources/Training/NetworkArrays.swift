import Backend
import Data
import Models
import Planner

/// A network's tensors on a device.
public final class NetworkArrays {
    /// The network.
    public let network: Network
    /// Trainable tensors, flat.
    public let parameters: DeviceArray
    /// Running statistics, flat.
    public let state: DeviceArray

    /// Uploads weights.
    public init(
        _ network: Network, _ weights: Weights, on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        self.network = network
        parameters = try backend.upload(weights.parameters, precision)
        state = try backend.upload(weights.state, precision)
    }

    /// Tensors that are on the device already.
    public init(_ network: Network, parameters: DeviceArray, state: DeviceArray) {
        (self.network, self.parameters, self.state) = (network, parameters, state)
    }

    /// Every tensor by its program input name.
    public var bound: [String: DeviceSlice] { bound(parameters: parameters.all) }

    /// Every running statistic by its program input name.
    public var boundState: [String: DeviceSlice] {
        Dictionary(uniqueKeysWithValues: network.state.entries.map { ($0.name, state[$0.range]) })
    }

    /// Every tensor by its program input name, the trainable ones taken from another flat vector.
    public func bound(parameters: DeviceSlice) -> [String: DeviceSlice] {
        var bound = boundState
        for entry in network.layout.entries { bound[entry.name] = parameters[entry.range] }
        return bound
    }

    /// Downloads all tensors.
    public func weights(_ backend: any Backend) throws(BackendError) -> Weights {
        Weights(parameters: try backend.download(parameters.all), state: try backend.download(state.all))
    }
}

extension Weights {
    /// Initial weights of a network; every tensor has a random stream of its own, named after it.
    public static func initial(_ network: Network, seed: UInt64) -> Weights {
        func draw(_ names: [String], _ counts: [Int], _ initializers: [Initializer]) -> [Double] {
            zip(zip(names, counts), initializers).flatMap { entry, initializer in
                var random = RandomStream(seed: seed, purpose: "initial \(entry.0)")
                switch initializer {
                case .uniform(let bound): return random.uniforms(entry.1).map { (2 * $0 - 1) * bound }
                case .normal(let std): return random.normals(entry.1).map { $0 * std }
                case .constant(let value): return [Double](repeating: value, count: entry.1)
                }
            }
        }
        let (layout, state) = (network.layout.entries, network.state.entries)
        return Weights(
            parameters: draw(layout.map(\.name), layout.map { $0.shape.count }, network.initializers),
            state: draw(state.map(\.name), state.map { $0.shape.count }, network.stateInitializers))
    }
}
