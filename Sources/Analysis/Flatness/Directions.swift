import Data
import Graph

/// Random directions in weight space, scaled so that slices of different networks can be compared.
public enum Directions {
    /// How a direction is scaled.
    public enum Normalization: String, Sendable, CaseIterable {
        /// Every filter, or row of a dense weight, gets the norm of the same filter of the weights
        /// (Li et al. 2018). Tensors with one axis or none get zeros.
        case filter
        /// Every tensor gets the norm of the same tensor of the weights.
        case layer
        /// As drawn.
        case none
    }

    /// A normally distributed direction.
    public static func random(_ layout: ParameterLayout, seed: UInt64, index: Int) -> [Double] {
        var random = RandomStream(seed: seed, purpose: "slice direction \(index)")
        return random.normals(layout.count)
    }

    /// The direction scaled to the weights.
    public static func normalized(
        _ direction: [Double], to weights: [Double], _ layout: ParameterLayout, _ normalization: Normalization
    ) -> [Double] {
        precondition(
            direction.count == layout.count && weights.count == layout.count,
            "a direction of \(direction.count) for \(weights.count) weights")
        var result = direction
        for entry in layout.entries {
            switch normalization {
            case .none:
                break
            case .layer:
                rescale(&result, entry.range, weights)
            case .filter where entry.shape.rank <= 1:
                for index in entry.range { result[index] = 0 }
            case .filter:
                let length = entry.shape.count / max(1, entry.shape[0])
                for filter in 0..<entry.shape[0] {
                    let start = entry.offset + filter * length
                    rescale(&result, start..<start + length, weights)
                }
            }
        }
        return result
    }

    /// Gives a part of the direction the norm of the same part of the weights.
    private static func rescale(_ direction: inout [Double], _ range: Range<Int>, _ weights: [Double]) {
        func norm(_ values: [Double]) -> Double {
            range.reduce(0) { $0 + values[$1] * values[$1] }.squareRoot()
        }
        let length = norm(direction)
        let factor = length > 0 ? norm(weights) / length : 0
        for index in range { direction[index] *= factor }
    }
}
