import Analysis
import Backend
import Planner

/// A kernel that is only multiplied with, for conjugate gradients, and its trace, which a relative ridge needs.
struct RegressionOperator {
    let product: any LinearOperator
    let trace: () throws -> Double

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
                trace: { (0..<n).reduce(0) { $0 + matrix[$1 * (n + 1)] } })
        }
        let scale = kernels.targets.scale
        func scaled(_ inner: any LinearOperator) throws -> any LinearOperator {
            scale == 1 ? inner : try ScaledOperator(scale, inner)
        }
        guard let file = kernels.file else {
            guard kernels.targets.kind != .diagonal else {
                throw CommandError(
                    "a kernel of \(n) rows for every output does not fit --memory: write it with `landscape ntk --kind "
                        + "diagonal --output k.npy` and give --kernel k.npy, or give more memory")
            }
            let inner = try kernels.tangentOperator(on: backend, precision, memory: memory)
            return RegressionOperator(
                product: try scaled(inner), trace: { try kernels.trace(on: backend, memory: memory) * scale })
        }
        let inner = try KernelFileOperator(file, plane: plane, memory: memory, on: backend, precision)
        return RegressionOperator(
            product: try scaled(inner),
            trace: { (0..<n).reduce(0.0) { $0 + file.element($1, $1, plane: plane) } * scale })
    }
}
