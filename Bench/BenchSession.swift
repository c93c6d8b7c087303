import Backend
import Planner

/// An open device on which workloads are made ready, checked and timed.
public final class BenchSession {
    private let setting: Setting
    /// For one round.
    private var rule: SamplingRule
    private let load = LoadMeter()

    /// The device.
    public var device: DeviceInfo { setting.backend.device }

    /// Opens a device by its selector. Sessions that share `references` compute each reference once.
    public init(_ selector: String, _ options: BenchOptions, references: SharedReferences) throws {
        setting = Setting(
            backend: CountingBackend(try Devices.open(selector).backend), seed: options.seed,
            references: references.values)
        rule = options.rule
        rule.budget /= Double(options.rounds)
    }

    /// A workload made ready; nil if there is no such thing on this device.
    public func prepare(_ workload: Workload) throws -> ReadyWorkload? {
        if workload.precision == .float64, !device.hasFloat64 { return nil }
        setting.backend.largestPlanBytes = 0
        return try workload.prepare(setting).map { ReadyWorkload(workload, $0, setting.backend) }
    }

    /// Checks a workload, then times it for one round; nil if there is no such thing on this device.
    public func measure(_ workload: Workload) throws -> BenchResult? {
        load.mark()
        guard let ready = try prepare(workload) else { return nil }
        let (check, work, warm) = try ready.check()
        guard check.passes else {
            throw BenchError(
                "the result is wrong: its error is \(check.error), where rounding explains \(check.tolerance)"
            )
        }
        load.mark()
        let samples = try rule.sample(warm: warm, ready.time)
        return BenchResult(
            device: device.selector, id: workload.id, group: workload.group, precision: workload.precision,
            work: work, itemsPerRun: ready.itemsPerRun, planBytes: ready.planBytes, samples: [samples],
            summary: Summary(samples), check: check, foreignLoad: load.cores())
    }
}

/// References that several sessions share.
public final class SharedReferences {
    let values = References()

    /// None yet.
    public init() {}
}

/// A workload on its device.
public final class ReadyWorkload {
    private let workload: Workload
    private let prepared: PreparedWorkload
    private let backend: CountingBackend

    fileprivate init(_ workload: Workload, _ prepared: PreparedWorkload, _ backend: CountingBackend) {
        (self.workload, self.prepared, self.backend) = (workload, prepared, backend)
    }

    /// Network samples per run, where that is the natural rate.
    public var itemsPerRun: Int? { prepared.samples }

    /// The most bytes that a plan of the workload needs; nil if it has no plan.
    public private(set) var planBytes: Int?

    /// Seconds of one run, with a wait for the device at the end.
    public func time() throws -> Double {
        let clock = ContinuousClock.now
        for _ in 0..<prepared.runsPerTiming { try prepared.start() }
        try backend.synchronize()
        return (ContinuousClock.now - clock) / .seconds(1)
            / Double(prepared.runsPerTiming * prepared.runsPerStart)
    }

    /// Makes a run and compares its result with the reference. Returns the work of the run and its seconds, which
    /// hold what the first run of a program does once.
    public func check() throws -> (check: Check, work: Work, seconds: Double) {
        let clock = ContinuousClock.now
        var counted = try backend.work {
            try prepared.start()
            try backend.synchronize()
        }
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        // Analyses compile some of their plans at the first run; the check compiles others.
        planBytes = backend.largestPlanBytes > 0 ? backend.largestPlanBytes : nil
        counted.flops = prepared.flops ?? counted.flops / prepared.runsPerStart
        counted.bytes = prepared.bytes ?? counted.bytes / prepared.runsPerStart
        return (try prepared.check(), counted, seconds)
    }
}
