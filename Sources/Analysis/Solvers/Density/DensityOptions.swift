import Backend

/// Eigenpairs that a density counts exactly.
public struct KnownEigenpairs {
    /// Eigenvalues, one per vector.
    public let values: [Double]
    /// Orthonormal vectors, one per row, in the order of `values`.
    public let vectors: DeviceArray

    /// Eigenpairs from their parts.
    public init(values: [Double], vectors: DeviceArray) { (self.values, self.vectors) = (values, vectors) }
}

/// How the probes of a density are drawn and where their vectors live.
public struct DensityOptions: Sendable {
    /// Distributions of probes; both are divided by their norm.
    public enum Probe: String, Sendable, Codable {
        /// Independent normal entries: a direction uniform on the sphere.
        case gaussian
        /// Entries ±1: no variance from diagonal matrices.
        case rademacher
    }
    /// How probes are drawn.
    public var probe: Probe
    /// Where Lanczos vectors live; nil: half of what is free on the device, and host memory where it is apart.
    public var memory: BasisMemory?
    /// Where a run is kept that may be interrupted; nil: nowhere.
    public var store: DensityStore?

    /// Gaussian probes, standard memory, no store.
    public init(probe: Probe = .gaussian, memory: BasisMemory? = nil, store: DensityStore? = nil) {
        (self.probe, self.memory, self.store) = (probe, memory, store)
    }
}

/// A folder from which an interrupted run goes on, to the same bytes.
public struct DensityStore: Sendable {
    /// The folder; it is made if it is not there.
    public var folder: String
    /// What the operator is, such as a digest of weights and data: another one is refused at once. Without it another
    /// operator is noticed when the last step is done again.
    public var label: String

    /// A store in a folder.
    public init(folder: String, label: String = "") { (self.folder, self.label) = (folder, label) }
}

/// Where a run stands.
public struct DensityProgress: Sendable {
    /// The probe, from 0, and its steps so far.
    public let probe: Int, step: Int
    /// Extreme nodes so far.
    public let smallest: Double, largest: Double
    /// The larger residual bound of the two.
    public let residualBound: Double
}
