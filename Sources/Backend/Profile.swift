import Foundation
import Planner

/// Where time goes: every step of every plan that runs, by what it computes.
///
/// It must be made before devices are opened, because OpenCL queues are told then to keep times.
public final class Profile: @unchecked Sendable {
    /// All steps that compute the same.
    public struct Entry: Sendable, Hashable, Codable {
        /// What is computed: kernel and extents.
        public let label: String
        /// How often it ran, and the time of all runs.
        public var runs: Int, seconds: Double
        /// Work of all runs.
        public var flops: Int, bytes: Int
    }

    /// The profile that plans report to, if any.
    public static var active: Profile? { current.withLock { $0 } }
    private static let current = Locked<Profile?>(nil)

    private var entries: [String: Entry] = [:]
    private let lock = NSLock()
    private var trace: TraceFile?

    /// Begins to collect. `trace` names a file for every single step in Chrome's trace format.
    public static func begin(trace path: String? = nil) throws {
        let profile = Profile()
        if let path { profile.trace = try TraceFile(path) }
        current.withLock { $0 = profile }
    }

    /// The steps that took the most time together, the longest first.
    public func longest(_ count: Int) -> [Entry] {
        lock.withLock {
            Array(entries.values.sorted { ($1.seconds, $0.label) < ($0.seconds, $1.label) }.prefix(count))
        }
    }

    /// Time of all steps in seconds.
    public var total: Double { lock.withLock { entries.values.reduce(0) { $0 + $1.seconds } } }

    /// Completes the trace file. Throws if it could not be written.
    public func finish() throws {
        try lock.withLock {
            try trace?.finish()
            trace = nil
        }
    }

    /// Seconds of a clock that never goes back.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    fileprivate func record(_ step: Entry, on device: String, start: Double, end: Double) {
        lock.withLock {
            var entry =
                entries[step.label] ?? Entry(label: step.label, runs: 0, seconds: 0, flops: 0, bytes: 0)
            entry.runs += 1
            entry.seconds += end - start
            entry.flops += step.flops
            entry.bytes += step.bytes
            entries[step.label] = entry
            trace?.write(step, on: device, start: start, end: end)
        }
    }
}

/// What a plan's steps are called in the active profile. There is none if nothing is profiled.
struct ProfiledPlan {
    private let profile: Profile
    private let steps: [Profile.Entry]
    private let device: String

    init?(_ plan: Plan, on device: DeviceInfo) {
        guard let profile = Profile.active else { return nil }
        self.profile = profile
        self.device = device.selector
        steps = plan.steps.map { step in
            Profile.Entry(
                label: step.kernel.label, runs: 1, seconds: 0, flops: step.flops,
                bytes: step.bytesMoved(plan.precision))
        }
    }

    /// One run of a step; times in seconds.
    func record(step: Int, start: Double, end: Double) {
        profile.record(steps[step], on: device, start: start, end: end)
    }
}

/// A value behind a lock.
private final class Locked<Value>: @unchecked Sendable {
    private var value: Value
    private let lock = NSLock()
    init(_ value: Value) { self.value = value }
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
