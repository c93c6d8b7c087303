import Backend
import Planner

/// Something that can be timed on a device.
public struct Workload {
    /// Its name: group, precision if there are several, and shape or model, separated by `/`.
    public let id: String
    /// Whether it is part of a quick run.
    public let isQuick: Bool
    /// Format of the numbers.
    public let precision: Precision
    /// Makes it ready on a device; nil if the device or this machine has no such thing.
    let prepare: (Setting) throws -> PreparedWorkload?

    init(
        _ id: String, quick: Bool = false, _ precision: Precision = .float32,
        prepare: @escaping (Setting) throws -> PreparedWorkload?
    ) {
        (self.id, isQuick, self.precision, self.prepare) = (id, quick, precision, prepare)
    }

    /// The first part of the name.
    public var group: String { String(id.split(separator: "/")[0]) }
}

/// Where and with which numbers workloads are made ready.
struct Setting {
    let backend: CountingBackend
    /// Seed of all inputs.
    let seed: UInt64
    /// Reference values that several devices share.
    let references: References
}

/// A workload on a device, compiled and with its inputs in place.
struct PreparedWorkload {
    /// Starts the work of one run; it may go on after the call returns.
    let start: () throws -> Void
    /// Compares the results of the last run with a reference in float64.
    let check: () throws -> Check
    /// Runs that make one timing; the time of one is reported.
    var runsPerTiming = 1
    /// Equal pieces of work that one start does, such as the vectors of a block; a run is one of them.
    var runsPerStart = 1
    /// Bytes of one run, where no plan counts them.
    var bytes: Int?
    /// Floating-point operations of one run, where no plan counts them.
    var flops: Int?
    /// Samples handled by one run, where that is the natural rate.
    var samples: Int?
}

/// How far a result is from its reference.
public struct Check: Sendable, Codable, Equatable {
    /// The greatest difference over the root mean square of the reference.
    public let error: Double
    /// The error that rounding explains.
    public let tolerance: Double

    /// An error and its bound.
    public init(error: Double, tolerance: Double) { (self.error, self.tolerance) = (error, tolerance) }

    /// Whether the result is right.
    public var passes: Bool { error <= tolerance }

    /// Compares values with references of the same number.
    init(_ values: [Double], _ references: [Double], tolerance: Double) {
        precondition(
            values.count == references.count, "\(values.count) values, \(references.count) references")
        let square = references.reduce(0) { $0 + $1 * $1 } / Double(max(1, references.count))
        let largest = zip(values, references).reduce(0) { worst, pair in
            // A difference that is not a number is the worst of all.
            let difference = abs(pair.0 - pair.1)
            return difference.isNaN ? .infinity : max(worst, difference)
        }
        // References that are all zero leave the difference as it is.
        self.init(error: square > 0 ? largest / square.squareRoot() : largest, tolerance: tolerance)
    }
}

/// Reference values by name, computed once.
final class References {
    private var known: [String: [Double]] = [:]

    func value(_ name: String, _ make: () throws -> [Double]) rethrows -> [Double] {
        if let value = known[name] { return value }
        let value = try make()
        known[name] = value
        return value
    }
}
