import Analysis

/// What `--json` prints and `result.json` keeps.
struct SpectrumOutput: Encodable {
    struct Interval: Codable {
        var lower: Double
        var upper: Double
    }
    /// Quadrature of the density, with what was found in it.
    struct Density: Encodable {
        var nodes: [Double]
        var weights: [Double]
        var probes: Int
        var steps: Int
        /// Width of the smoothing, where it comes from, and what the quadrature resolves.
        var bandwidth: Double
        var bandwidthOrigin: String
        var resolution: Double
        /// The largest change of the smoothed distribution function with the last quarter of the steps.
        var truncation: Double?
        /// The share of eigenvalues below `-negativeMassBeyond`, within which the quadrature tells no sign.
        var negativeMass: Double
        var negativeMassInterval: Interval?
        var negativeMassBeyond: Double
        /// Σ|λ| over negative eigenvalues as a part of that over all.
        var negativeShare: Double
        var negativeShareInterval: Interval?
        /// Isolated eigenvalues above and below the bulk, and the bulk's edges.
        var outliersAbove: [Double]
        var outliersBelow: [Double]
        var bulkEdges: [Double]
        var trace: Double
        var traceInterval: Interval?
        var frobeniusNorm: Double
        var frobeniusNormInterval: Interval?
    }
    struct Layer: Codable {
        var layer: String
        var parameters: Int
        var eigenvalues: [Double]
        var residuals: [Double]
        /// The other end of the spectrum.
        var smallest: Double
        var smallestResidual: Double
        var converged: Bool
        var trace: Double
        var traceStandardError: Double?
        /// Of the layer's own block, with its standard error.
        var frobeniusNorm: Double
        var frobeniusNormStandardError: Double?
    }
    var `operator`: String
    var scaled: Bool
    var subset: String?
    var cross: String?
    var which: String?
    var eigenvalues: [Double]?
    var residuals: [Double]?
    var intervals: [Interval]?
    /// Proven bounds of the errors, which are smaller than the intervals where neighbours are known.
    var errorBounds: [Double]?
    var converged: Bool?
    /// Whether the search for further copies came to its end, and the chance that one was missed.
    var complete: Bool?
    var missRisk: Double?
    var eigenvalueProducts: Int?
    /// How many of them looked for further copies and hidden values.
    var copyProducts: Int?
    /// After how many of the largest eigenvalues the next one is smaller by the largest factor, and that factor.
    var largestGapAfter: Int?
    var largestGapRatio: Double?
    var trace: Double?
    var traceStandardError: Double?
    var traceInterval: Interval?
    var traceMethod: String?
    var traceProducts: Int?
    var traceConverged: Bool?
    var density: Density?
    var logDeterminant: Double?
    var logDeterminantInterval: Interval?
    var logDeterminantShift: Double?
    var layers: [Layer]?
    var classes: Int?
    var dimension: Int
    var samples: Int
    var loss: Double
    var device: String
    var precision: String
}

extension SpectrumOutput.Interval {
    /// Nil where a single probe tells nothing.
    init?(_ estimate: MeanEstimate) {
        guard estimate.count > 1 else { return nil }
        let interval = estimate.interval()
        self.init(lower: interval.lower, upper: interval.upper)
    }
}
