import Data
import Foundation

/// What a kernel file holds: the first line of its manifest.
public struct KernelManifest: Codable, Sendable, Equatable {
    /// Shape of the array.
    public var shape: [Int]
    /// Its precision.
    public var precision: String
    /// Which entries.
    public var kind: KernelKind
    /// Samples of a tile.
    public var tile: Int
    /// Numbers of samples.
    public var samples: Int, samples2: Int?
    /// Digests of the samples, the weights and the model.
    public var inputs: String, inputs2: String?, weights: String, model: String
    /// What decides the last bits: how each part is computed, and the device.
    public var algorithms: [String], device: String
    /// The part of the kernel, if it is not all of it.
    public var part: String?
    /// The device's ratio of operations to elements moved that decided between algorithms; told, not compared.
    public var balance: Double?

    /// A manifest from its parts.
    public init(
        shape: [Int], precision: String, kind: KernelKind, tile: Int, samples: Int, samples2: Int?,
        inputs: String,
        inputs2: String?, weights: String, model: String, algorithms: [String] = [], device: String = "",
        part: String? = nil
    ) {
        (self.shape, self.precision, self.kind, self.tile) = (shape, precision, kind, tile)
        (self.samples, self.samples2, self.inputs, self.inputs2) = (samples, samples2, inputs, inputs2)
        (self.weights, self.model, self.part) = (weights, model, part)
        (self.algorithms, self.device) = (algorithms, device)
    }

    /// What differs from another manifest, in words; empty if they describe the same array.
    func differences(from other: KernelManifest) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ name: String, _ key: KeyPath<KernelManifest, Value>, tells: Bool) {
            let (mine, theirs) = (self[keyPath: key], other[keyPath: key])
            if mine != theirs { found.append(tells ? "\(name) (\(theirs) before, \(mine) now)" : name) }
        }
        compare("the weights", \.weights, tells: false)
        compare("the model", \.model, tells: false)
        compare("the number of samples", \.samples, tells: true)
        if samples == other.samples { compare("the samples", \.inputs, tells: false) }
        if samples2 != other.samples2 || inputs2 != other.inputs2 { found.append("the second samples") }
        compare("the kind", \.kind.rawValue, tells: true)
        compare("the precision", \.precision, tells: true)
        compare("the tile", \.tile, tells: true)
        compare("the algorithms", \.algorithms, tells: false)
        compare("the device", \.device, tells: true)
        var told = other
        told.balance = balance
        return found.isEmpty && self != told ? ["its description"] : found
    }
}

/// A finished tile: a further line of the manifest.
struct KernelTile: Codable, Hashable {
    let i: Int, j: Int
    /// Checksums of the tile and of its mirror image as they lie in the file.
    let crc: UInt32, mirror: UInt32?
    let rows: [Int], columns: [Int]

    /// Whether it lies inside an array.
    func fits(_ shape: [Int]) -> Bool {
        func isRange(_ ends: [Int], _ extent: Int) -> Bool {
            ends.count == 2 && ends[0] >= 0 && ends[0] <= ends[1] && ends[1] <= extent
        }
        return isRange(rows, shape[shape.count - 2]) && isRange(columns, shape[shape.count - 1])
    }
}
