import Planner

/// What a device is and what it can hold.
public struct DeviceInfo: Sendable, Hashable, Codable {
    /// `cpu` or `opencl`.
    public let backend: String
    /// How `--device` names it, such as `cpu` or `opencl:0`.
    public let selector: String
    /// The device's own name.
    public let name: String
    /// Vendor and platform.
    public let platform: String
    /// Version of the driver or library.
    public let driver: String
    /// `cpu`, `gpu`, `accelerator` or `simulator`.
    public let kind: String
    /// Compute units, or processor cores.
    public let computeUnits: Int
    /// Bytes of memory the device can address, and of its largest single allocation.
    public let memoryBytes: Int, largestAllocationBytes: Int
    /// Whether float64 plans can run.
    public let hasFloat64: Bool

    /// A description from its parts.
    public init(
        backend: String, selector: String, name: String, platform: String, driver: String, kind: String,
        computeUnits: Int, memoryBytes: Int, largestAllocationBytes: Int, hasFloat64: Bool
    ) {
        self.backend = backend
        self.selector = selector
        self.name = name
        self.platform = platform
        self.driver = driver
        self.kind = kind
        self.computeUnits = computeUnits
        self.memoryBytes = memoryBytes
        self.largestAllocationBytes = largestAllocationBytes
        self.hasFloat64 = hasFloat64
    }
}
