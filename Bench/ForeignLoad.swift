import Foundation

/// How many processor cores other processes kept busy over a stretch of time, from `/proc`.
struct ForeignLoad {
    private let start: (busy: Double, own: Double, time: ContinuousClock.Instant)?

    init() { start = Self.read() }

    /// Cores kept busy since the start; nil where `/proc` does not tell, or the time is too short for its ticks
    /// of 10 ms.
    var cores: Double? {
        guard let start, let now = Self.read() else { return nil }
        let seconds = (now.time - start.time) / .seconds(1)
        guard seconds >= 0.2 else { return nil }
        return max(0, (now.busy - start.busy - (now.own - start.own)) / seconds)
    }

    /// Seconds of processor time so far, of the machine and of this process.
    private static func read() -> (busy: Double, own: Double, time: ContinuousClock.Instant)? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = text.split(separator: "\n").first, line.hasPrefix("cpu ")
        else { return nil }
        // user, nice, system, idle, iowait, irq, softirq, steal
        let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 8 else { return nil }
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]
        var usage = rusage()
        // The enumeration's C type differs between C libraries; its value is 0 for the process itself.
        guard getrusage(.init(0), &usage) == 0 else { return nil }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (
            busy / Double(sysconf(Int32(_SC_CLK_TCK))), seconds(usage.ru_utime) + seconds(usage.ru_stime),
            .now
        )
    }
}
