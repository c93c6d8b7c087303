import Foundation

/// Tells how many processor cores other processes keep busy, from `/proc`.
final class LoadMeter {
    private struct Reading {
        let busy: Double, own: Double
        let time: ContinuousClock.Instant
    }
    private var readings: [Reading] = []

    /// Remembers where a stretch of time begins.
    func mark() { if let reading = Self.read() { readings.append(reading) } }

    /// Cores that others kept busy since the last mark. A stretch below 0.2 s, too short for the ticks of 10 ms,
    /// begins at an earlier mark. Nil where there is none, or `/proc` does not tell.
    func cores() -> Double? {
        guard let now = Self.read() else { return nil }
        func seconds(_ start: Reading) -> Double { (now.time - start.time) / .seconds(1) }
        guard let start = readings.last(where: { seconds($0) >= 0.2 }) else { return nil }
        return max(0, (now.busy - start.busy - (now.own - start.own)) / seconds(start))
    }

    /// Seconds of processor time so far, of the machine and of this process.
    private static func read() -> Reading? {
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
        return Reading(
            busy: busy / Double(sysconf(Int32(_SC_CLK_TCK))),
            own: seconds(usage.ru_utime) + seconds(usage.ru_stime), time: .now)
    }
}
