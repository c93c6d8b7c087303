import Backend

/// Eigenvalues at an end of an operator's spectrum, each with its vector, its true residual and error bounds.
public struct Eigenpairs {
    /// In the order of `SpectrumEnd`: largest first, but for `smallest` smallest first. An eigenvalue of multiplicity m is
    /// listed m times.
    public let values: [Double]
    /// `‖A·x − λ·x‖` for the unit vector `x` of each value.
    public let residuals: [Double]
    /// Unit vectors, one per row, in the order of `values`.
    public let vectors: DeviceArray
    /// Operator applications spent, all counted.
    public let applications: Int
    /// Whether as many as asked for were found, with every residual below the tolerance, or every error if values were asked for.
    public let isConverged: Bool
    /// Whether the search for copies came to its end: nothing beyond the values listed was seen in their complement.
    public let isComplete: Bool
    /// The probability that a value beyond those listed, if there is one, was missed: by the share of it that a random start
    /// vector would need to hide it.
    public let missRisk: Double
    /// Applications that the search for copies and hidden values took.
    public let checkApplications: Int
    /// Restarts of all searches.
    public let restarts: Int
    /// A lower estimate of `‖A‖`: the largest `‖A·v‖` of a unit vector seen.
    public let norm: Double
    /// How values and bounds went, for a figure of convergence.
    public let history: [EigenpairProgress]
    /// What is known of each value's error.
    public let errors: [EigenvalueError]

    /// The vectors one by one, such as for the start of a search on a nearby operator.
    public var rows: [DeviceSlice] {
        let length = values.isEmpty ? 0 : vectors.count / values.count
        return values.indices.map { vectors[$0 * length..<($0 + 1) * length] }
    }
}

extension Eigenpairs {
    /// Finds `count` eigenvalues at an end of the spectrum by block Lanczos with thick restarts and locking (Wu and Simon 2000;
    /// Golub and Ye 2002).
    ///
    /// One Krylov space holds as many copies of an eigenvalue as its blocks have vectors. So a few products with another random
    /// vector in its complement look for more (`SpectrumSplit`). If there may be some, what was found is locked and the search
    /// starts again in the complement of that, until nothing there exceeds the values found: multiplicities come out. Every
    /// residual is that of the vector returned, from the products kept.
    ///
    /// - Parameters:
    ///   - start: vectors near the wanted ones, such as those of a nearby operator; they need not be orthonormal.
    ///   - resuming: a state that was handed out before by the same search; it goes on and ends with the same bits.
    ///   - progress: told whenever Ritz values were computed.
    ///   - save: given the state at every restart and after every search; it is valid during the call.
    /// - Throws: `.device` if the operator gives vectors that are not finite; `.program` if a state belongs to another search;
    ///   whatever the device, the operator or `save` throws.
    public static func find(
        _ end: SpectrumEnd, _ count: Int, of matrix: any LinearOperator,
        _ options: EigenpairOptions = EigenpairOptions(), start: [DeviceSlice] = [],
        resuming state: EigenpairState? = nil, progress: ((EigenpairProgress) -> Void)? = nil,
        save: ((EigenpairState) throws(BackendError) -> Void)? = nil
    ) throws(BackendError) -> Eigenpairs {
        let search = try EigenpairSearch(
            end, count, of: matrix, options, start: start, resuming: state, progress: progress, save: save)
        return try search.run()
    }

    /// Finds the `count` largest eigenvalues: `find(.largest, …)`.
    public static func largest(
        _ count: Int, of matrix: any LinearOperator, _ options: EigenpairOptions = EigenpairOptions()
    ) throws(BackendError) -> Eigenpairs {
        try find(.largest, count, of: matrix, options)
    }
}
