/// Something a device or its driver could not do.
public struct BackendError: Error, CustomStringConvertible, Sendable {
    /// What kind of failure it was, for callers that can do something about it.
    public enum Kind: Sendable, Hashable {
        /// No such device, or no OpenCL at all.
        case noDevice
        /// The device cannot do this at all, such as float64.
        case unsupported
        /// More memory was asked for than there is.
        case outOfMemory
        /// A kernel did not build.
        case build
        /// A call failed while running; results on the device are lost.
        case device
        /// A file that intermediate results are kept in cannot be read or written, or belongs to something else.
        case file
        /// A program broke a rule. A defect of the caller.
        case program
    }
    /// What kind of failure it was.
    public let kind: Kind
    /// One message for a person: the call, the status by name, what was asked for.
    public let description: String

    /// An error from its parts.
    public init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}
