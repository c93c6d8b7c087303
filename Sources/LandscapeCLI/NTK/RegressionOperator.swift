import Analysis
import Backend
import Planner

/// A kernel that is only multiplied with, for conjugate gradients, and its trace.
struct RegressionOperator {
    let product: any LinearOperator
    let trace: Double

    /// The operator of one system, scaled to one output: the one place that decides where products with a kernel come from.
    ///
    /// Vectors are float64 where the device has it, whatever the kernel's entries are: residuals stagnate early in float32.
    static func make(
        _ kernels: RegressionKernels, plane: Int, matrix: [Double]?, memory: Int, on backend: any Backend,
        _ precision: Precision
    ) throws -> RegressionOperator {
        let n = kernels.targets.rows
        let precision = backend.device.hasFloat64 ? Precision.float64 : precision
        if let matrix {
            return RegressionOperator(
                product: try DenseOperator(matrix, n, on: backend, precision),
                trace: (0..<n).reduce(0) { $0 + matrix[$1 * (n + 1)] })
        }
        guard let file = kernels.file else {
            throw CommandError(
                "a kernel of \(n) rows does not fit --memory: write it with `landscape ntk --kind "
                    + "\(kernels.targets.kind.rawValue) --output k.npy` and give --kernel k.npy, or give more memory"
            )
        }
        let inner = try KernelFileOperator(file, plane: plane, memory: memory, on: backend, precision)
        let diagonal = (0..<n).reduce(0.0) { $0 + file.element($1, $1, plane: plane) }
        let scale = kernels.targets.scale
        return RegressionOperator(
            product: scale == 1 ? inner : try ScaledOperator(scale, inner), trace: diagonal * scale)
    }
}
