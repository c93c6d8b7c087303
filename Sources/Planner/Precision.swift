/// The floating-point format of a plan's buffers.
public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
    /// IEEE binary32.
    case float32
    /// IEEE binary64.
    case float64

    /// Bytes of one element.
    public var bytes: Int { self == .float32 ? 4 : 8 }

    /// Distance from 1 to the next number.
    public var epsilon: Double { self == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne }
}
