import Analysis
import Backend
import Data
import Foundation
import Graph
import Planner
import TestSupport

/// A diagonal operator that counts its products and may fail at one of them.
final class DiagonalOperator: LinearOperator {
    let space: VectorSpace
    var blockSize: Int
    /// Products so far.
    private(set) var count = 0
    /// What happens at the product of this number.
    var end = Int.max,
        ending: () throws(BackendError) -> Void = { () throws(BackendError) in
            throw BackendError(.device, "interrupted")
        }
    /// The eigenvalues for blocks of each size: a block of k vectors is rounded in a way of its own.
    private let diagonals: [DeviceArray]
    private let product: any Executable

    init(_ values: [Double], on backend: any Backend, _ precision: Precision, blockSize: Int = 1) throws {
        let n = values.count
        space = VectorSpace(n, on: backend, precision)
        diagonals = try (0..<4).map { k in
            try backend.upload(values.map { $0 * (k > 1 ? 1 + 1e-6 * Double(k) : 1) }, precision)
        }
        product = try backend.compile(
            .trace { t in [("y", t.input("a", [n]) * t.input("x", [n]))] }, precision)
        self.blockSize = blockSize
    }

    convenience init(_ values: [Double], _ target: Target, blockSize: Int = 1) throws {
        try self.init(values, on: try target.open(), target.precision, blockSize: blockSize)
    }

    var dimension: Int { space.dimension }

    func apply(_ vector: DeviceSlice, into result: DeviceSlice) throws(BackendError) {
        try apply([vector], into: [result])
    }

    func apply(_ vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        for (vector, result) in zip(vectors, results) {
            count += 1
            if count == end { try ending() }
            try product.run(inputs: [diagonals[vectors.count].all, vector], outputs: [result])
        }
    }
}

/// A new folder under the system's temporary one; the caller removes it.
func temporaryFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/density-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// `count` values from `low` on in equal steps below `high`.
func ladder(_ count: Int, _ low: Double = 0, _ high: Double = 1) -> [Double] {
    (0..<count).map { low + (high - low) * Double($0) / Double(count) }
}

/// The rules of Gaussian probes on a diagonal operator after as many steps as dimensions: the measure of `z/‖z‖` has the
/// eigenvalues as nodes and `zᵢ²/‖z‖²` as weights, and a Gauss rule with a node for every point of a measure is the measure.
func exactDensity(_ values: [Double], probes: Int, seed: UInt64, known: [Double] = []) -> SpectralDensity {
    SpectralDensity(
        rules: (0..<probes).map { probe in
            var random = RandomStream(seed: seed, purpose: "spectral probe \(probe)")
            return QuadratureRule(nodes: values, weights: random.normals(values.count).map { $0 * $0 })
        }, dimension: values.count + known.count, known: known)
}

/// A density as bytes.
func bytes(_ density: SpectralDensity) throws -> Foundation.Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(density)
}
