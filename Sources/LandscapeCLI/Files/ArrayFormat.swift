import Data
import Planner

extension NDArray {
    /// An array in the format of a run.
    static func of(_ values: [Double], _ shape: [Int], _ precision: Precision) -> NDArray {
        switch precision {
        case .float32: NDArray(shape: shape, floats: values.map { Float($0) })
        case .float64: NDArray(shape: shape, doubles: values)
        }
    }
}
