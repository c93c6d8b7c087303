import Analysis

/// What the stages of a run leave behind, each in a file of its own.
enum SpectrumStage {
    struct Eigenvalues: Codable {
        var values: [Double], residuals: [Double]
        var intervals: [SpectrumOutput.Interval], bounds: [Double]
        var isConverged: Bool, isComplete: Bool
        var missRisk: Double
        var products: Int, copyProducts: Int
        var history: [EigenpairProgress]
    }
    struct Trace: Codable {
        var mean: Double
        var standardError: Double?
        var interval: SpectrumOutput.Interval?
        var method: String
        var products: Int
        var isConverged: Bool
    }
    struct Layers: Codable {
        var layers: [SpectrumOutput.Layer]
        /// `‖A_ab‖_F` of all pairs, row-major, and standard errors of the squares.
        var norms: [Double], squareErrors: [Double]
    }
}
