import Planner

/// What a device delivers at most, measured on it (Williams, Waterman and Patterson 2009).
public struct Ceilings: Sendable, Codable, Equatable {
    /// Floating-point operations per second of the fastest matrix product, by precision.
    public var flops: [String: Double]
    /// Bytes per second of the fastest copy or triad.
    public var bytes: Double?
    /// Whether others worked on the machine meanwhile: then the device may deliver more. Nil where that was not noted.
    public var isDisturbed: Bool?

    /// Ceilings from their parts.
    public init(flops: [Precision: Double], bytes: Double?, isDisturbed: Bool? = nil) {
        self.flops = Dictionary(uniqueKeysWithValues: flops.map { ($0.rawValue, $1) })
        (self.bytes, self.isDisturbed) = (bytes, isDisturbed)
    }

    /// The rate of operations that a program can reach that makes `intensity` operations per byte: the smaller of
    /// the two ceilings.
    public func attainable(intensity: Double, _ precision: Precision) -> Double? {
        guard let peak = flops[precision.rawValue], let bytes else { return nil }
        return min(peak, intensity * bytes)
    }

    /// How close a run that takes `seconds` comes to the ceilings.
    public func fractions(_ work: Work, seconds: Double, _ precision: Precision) -> Fractions {
        let compute = flops[precision.rawValue].flatMap {
            work.flops > 0 ? Double(work.flops) / seconds / $0 : nil
        }
        let memory = bytes.flatMap { work.bytes > 0 ? Double(work.bytes) / seconds / $0 : nil }
        // The slower of the two resources bounds the time, so the greater share is the one of the roofline.
        return Fractions(
            compute: compute, memory: memory, roofline: [compute, memory].compactMap { $0 }.max())
    }
}

/// Shares of what the device delivers; nil where there is no ceiling or nothing to count. Above 1 where data stay in
/// caches or are only read.
public struct Fractions: Sendable, Codable, Equatable {
    /// Of the operations of the fastest matrix product.
    public let compute: Double?
    /// Of the bandwidth of the fastest copy.
    public let memory: Double?
    /// Of the roofline: the time that the busier resource needs, over the time taken.
    public let roofline: Double?
}
