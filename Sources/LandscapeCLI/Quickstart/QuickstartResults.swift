import Training

/// What the quickstart is asked to do; a run folder belongs to one of these.
struct QuickstartSettings: Codable, Equatable {
    var epochs: Double
    var seed: UInt64
    var batchSize: Int
    var precision: String
    /// Radius of the attacks, in pixels of [0, 1].
    var epsilon: Double
    /// Attack steps in training, along slices, and for the reported robust accuracy.
    var trainingSteps: Int, sliceSteps: Int, evaluationSteps: Int
    /// Samples for curvature and slices, and for the kernel.
    var curvatureSamples: Int, kernelSamples: Int
    /// Epochs at which the kernel is measured.
    var kernelTimes: [Double]
    /// Eigenvalues, steps and probes of the density, and probes of the trace.
    var top: Int, lanczosSteps: Int, densityProbes: Int, traceProbes: Int
    /// Points of a line and along each side of a plane, and directions of the mean sharpness.
    var linePoints: Int, planePoints: Int, sharpnessDirections: Int
    /// Distance along a direction at which sharpness is measured.
    var sharpnessRadius: Double

    init(epochs: Double, seed: UInt64, batchSize: Int, precision: String) {
        (self.epochs, self.seed, self.batchSize, self.precision) = (epochs, seed, batchSize, precision)
        (epsilon, trainingSteps, sliceSteps, evaluationSteps) = (0.1, 5, 5, 20)
        (curvatureSamples, kernelSamples) = (300, 50)
        kernelTimes = [0, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 2, 3, 4, 6, 8, 12, 16, 20].filter { $0 <= epochs }
        (top, lanczosSteps, densityProbes, traceProbes) = (3, 40, 4, 20)
        (linePoints, planePoints, sharpnessDirections, sharpnessRadius) = (25, 13, 10, 0.5)
    }
}

/// What the quickstart found for one network.
struct QuickstartResults: Codable {
    struct Accuracy: Codable {
        var testAccuracy: Double, testLoss: Double
        var robustAccuracy: Double, robustLoss: Double
        var trainLoss: Double, trainRobustLoss: Double
    }

    struct Kernels: Codable {
        var times: [Double]
        var distances: [Double]
        var velocities: [Double]
        var largestEigenvalues: [Double]
        var traces: [Double]
    }

    struct Spectrum: Codable {
        var eigenvalues: [Double], residuals: [Double]
        var trace: Double, traceStandardError: Double
        var nodes: [Double], weights: [Double]
        /// Number of nodes of each probe.
        var probes: [Int]
    }

    struct Slices: Codable {
        var alphas: [Double], clean: [Double], adversarial: [Double]
        var planeAlphas: [Double], plane: [Double]
        var sharpness: Double, sharpnessStandardError: Double
    }

    var name: String
    var metrics: [TrainingRun.Line]
    var accuracy: Accuracy
    var kernels: Kernels
    var spectrum: Spectrum
    var slices: Slices
}
