import Data
import Foundation
import Planner

/// A finished `.npy` file of features, read sample by sample from the disk.
struct FeatureFile {
    private let bytes: Foundation.Data
    private let first: Int, line: Int
    private let precision: Precision

    /// The features `[samples, …]` in the file at `path`, `line` numbers each, in the format that they were written in.
    init(_ path: String, samples: Int, line: Int, _ precision: Precision) throws {
        do {
            bytes = try Foundation.Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw CommandError("--output \(path): the features cannot be read back for --gram")
        }
        // Values are the end of the file.
        first = bytes.count - samples * line * precision.bytes
        guard first > 0 else {
            throw CommandError("--output \(path): it is no plain file, from which --gram reads the features")
        }
        (self.line, self.precision) = (line, precision)
    }

    /// The features of some samples.
    func rows(_ samples: Range<Int>) -> [Double] {
        let size = line * precision.bytes
        return bytes.withUnsafeBytes { bytes in
            let part = bytes[first + samples.lowerBound * size..<first + samples.upperBound * size]
            let raw = UnsafeRawBufferPointer(rebasing: part)
            return (0..<samples.count * line).map { index in
                switch precision {
                case .float32:
                    Double(raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
                case .float64: raw.loadUnaligned(fromByteOffset: index * 8, as: Double.self)
                }
            }
        }
    }
}
