import Analysis
import Backend
import Models

/// What a regression will hold in memory, and so which solver it takes.
struct RegressionPlan {
    /// Whether conjugate gradients solve.
    let isIterative: Bool
    /// Whether the kernel is decomposed.
    let hasSpectrum: Bool
    /// Whether the training kernel lies in memory.
    let holdsMatrix: Bool
    /// Bytes for features, tiles and panels on the device.
    let deviceMemory: Int

    /// Rows up to which a kernel is decomposed without being asked to.
    static let usualRows = 4000

    init(_ options: RegressCommand, _ kernels: RegressionKernels, _ samples: Samples, _ held: Samples?) throws
    {
        let targets = kernels.targets, network = kernels.network
        let n = Double(targets.rows), planes = Double(targets.planes)
        let matrix = n * n * 8
        // The process, samples, weights, and predictions at a few dozen times.
        let bytes = Double(options.common.precision.bytes)
        let inputs = Double(samples.inputs.count + (held?.inputs.count ?? 0))
        let values = Double((samples.count + 2 * (held?.count ?? 0)) * network.outputs)
        let curves = Double(64 + (options.times?.values.count ?? 0)) * values * 8
        let process =
            inputs * (8 + bytes) + Double(network.layout.count) * (16 + bytes) + curves + Double(128 << 20)
        let left = Double(options.memory.bytes) - process
        let smallest = Double(16 << 20)
        guard left > smallest else {
            throw CommandError(
                "--memory \(options.memory.bytes >> 20)MiB does not hold the process, the samples and the weights: at "
                    + "least \(Int(process + 2 * smallest) >> 20)MiB are needed")
        }
        // Matrices and a factor; and for a decomposition all vectors and LAPACK's work.
        let dense = (planes + 2) * matrix, decomposed = (2 * planes + 4) * matrix
        let isFree = options.times == nil && options.learningRate == nil && options.spectrum != true
        func fits(_ bytes: Double) -> Bool { bytes + smallest <= left }
        func refuse(_ what: String, _ bytes: Double) -> CommandError {
            CommandError(
                "--memory \(options.memory.bytes >> 20)MiB is too little: \(what) of \(targets.rows) rows needs about "
                    + "\(Int((bytes + process + 2 * smallest) / 1_048_576))MiB; give more memory\(kernels.file == nil ? "" : ", or --solver cg")"
            )
        }
        switch options.solver {
        case .cg: isIterative = true
        case .cholesky:
            guard fits(dense) else { throw refuse("a Cholesky factor", dense) }
            isIterative = false
        case .auto: isIterative = isFree && !fits(dense)
        }
        if isIterative {
            hasSpectrum = false
        } else if isFree {
            hasSpectrum =
                options.spectrum ?? (targets.rows <= Self.usualRows && fits(decomposed))
        } else {
            guard fits(decomposed) else { throw refuse("an eigen-decomposition", decomposed) }
            hasSpectrum = true
        }
        // A kernel that is only multiplied with comes from its file, panel by panel.
        holdsMatrix = !isIterative || (kernels.file == nil && fits((2 * planes + 1) * matrix))
        let held =
            holdsMatrix ? (hasSpectrum ? decomposed : isIterative ? (2 * planes + 1) * matrix : dense) : 0
        deviceMemory = max(Int(smallest), Int(left - held))
    }
}
