import Backend
import Data
import Foundation
import Planner

/// Everything that one run of the benchmark found; what `bench.json` holds.
public struct BenchFile: Sendable, Codable {
    /// The format this version writes and reads.
    public static let currentFormat = 1

    /// The format of the file.
    public var formatVersion = currentFormat
    /// The computer.
    public var machine: Machine
    /// What was asked for.
    public var options: BenchOptions
    /// The devices, and what each delivers at most.
    public var devices: [BenchDevice]
    /// One entry per device and measurement.
    public var results: [BenchResult]
    /// Measurements without a time, because they failed or their result was wrong.
    public var failures: [BenchFailure]

    /// A file from its parts.
    public init(
        machine: Machine, options: BenchOptions, devices: [BenchDevice], results: [BenchResult],
        failures: [BenchFailure] = []
    ) {
        (self.machine, self.options, self.devices) = (machine, options, devices)
        (self.results, self.failures) = (results, failures)
    }

    /// Reads a file that a run has written. What follows from the samples is computed anew.
    public static func read(_ path: String) throws(BenchError) -> BenchFile {
        let data: Foundation.Data
        do throws(DataError) {
            data = Foundation.Data(try readBytes(path))
        } catch {
            throw BenchError("\(error)")
        }
        struct Version: Decodable { var formatVersion: Int }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let version = try? decoder.decode(Version.self, from: data) else {
            throw BenchError("\(path): is not a file that `landscape bench` wrote, or is truncated")
        }
        guard version.formatVersion == currentFormat else {
            throw BenchError(
                "\(path): format \(version.formatVersion), but this version reads format \(currentFormat)")
        }
        guard var file = try? decoder.decode(BenchFile.self, from: data) else {
            throw BenchError("\(path): a result of `landscape bench` that is damaged")
        }
        for index in file.results.indices {
            do throws(BenchError) {
                try file.results[index].summarise()
            } catch {
                throw BenchError("\(path): \(error)")
            }
        }
        return file
    }
}

/// What was asked for.
public struct BenchOptions: Sendable, Codable, Equatable {
    /// Whether only a few measurements with small budgets were made.
    public var isQuick: Bool
    /// Groups or names that were chosen; empty for all.
    public var only: [String]
    /// Format of the numbers, matrix products aside.
    public var precision: Precision
    /// Seed of all inputs.
    public var seed: UInt64
    /// When a measurement ends, over all rounds.
    public var rule: SamplingRule
    /// How often each workload is made ready anew, in other memory and at another time.
    public var rounds: Int
    /// Threads of the CPU backend; nil for one per processor.
    public var threads: Int?

    /// Options from their parts.
    public init(
        isQuick: Bool = false, only: [String] = [], precision: Precision = .float32, seed: UInt64 = 0,
        rule: SamplingRule = SamplingRule(), rounds: Int = 3, threads: Int? = nil
    ) {
        (self.isQuick, self.only, self.precision) = (isQuick, only, precision)
        (self.seed, self.rule, self.rounds, self.threads) = (seed, rule, rounds, threads)
    }
}

/// A device of a run.
public struct BenchDevice: Sendable, Codable {
    /// The device.
    public var device: DeviceInfo
    /// What it delivers at most; nil where nothing that was measured needs it.
    public var ceilings: Ceilings?
    /// Why it was not measured.
    public var problem: String?
}

/// One measurement on one device.
public struct BenchResult: Sendable, Codable {
    /// How `--device` names the device.
    public var device: String
    /// What was measured.
    public var id: String
    /// The first part of the name.
    public var group: String
    /// Format of the numbers.
    public var precision: Precision
    /// Unit of the samples.
    public var unit = "s"
    /// Work of one run, as its plans count it.
    public var work: Work
    /// Network samples per run, where that is the natural rate.
    public var itemsPerRun: Int?
    /// The most bytes that a plan of the measurement needs on the device.
    public var planBytes: Int?
    /// Seconds of each repeat, by rounds.
    public var samples: [[Double]]
    /// What all samples say.
    public var summary: Summary
    /// Shares of the device's ceilings.
    public var fractions: Fractions?
    /// Error against the reference in float64.
    public var check: Check
    /// Processor cores that other processes kept busy meanwhile, where that could be told.
    public var foreignLoad: Double?

    /// Whether others worked on the machine.
    public var isDisturbed: Bool { (foreignLoad ?? 0) > 0.15 }

    /// Adds another round of the same measurement.
    mutating func add(_ round: BenchResult) {
        samples += round.samples
        summary = Summary(samples.flatMap { $0 })
        if !(round.check.error <= check.error) { check = round.check }
        foreignLoad = [foreignLoad, round.foreignLoad].compactMap { $0 }.max()
    }

    /// Makes the summary from the samples; throws if they are no times.
    mutating func summarise() throws(BenchError) {
        guard !samples.isEmpty, samples.allSatisfy({ !$0.isEmpty }) else {
            throw BenchError("\(device) \(id): a round without samples, expected at least one in each")
        }
        if let bad = samples.joined().first(where: { !($0 > 0 && $0.isFinite) }) {
            throw BenchError(
                "\(device) \(id): a sample of \(bad.isNaN ? "nan" : "\(bad)") s, expected a time above 0")
        }
        summary = Summary(samples.flatMap { $0 })
    }

    /// Runs, operations or bytes per second, by the median.
    public func rate(_ amount: Int) -> Double { Double(amount) / summary.median }

    /// The same by the median of the best round.
    func bestRate(_ amount: Int) -> Double { Double(amount) / samples.map { Summary($0).median }.min()! }
}

/// A measurement that gave no time.
public struct BenchFailure: Sendable, Codable {
    /// How `--device` names the device.
    public var device: String
    /// What was to be measured.
    public var id: String
    /// What went wrong.
    public var problem: String
}

/// The computer that a run was made on.
public struct Machine: Sendable, Codable {
    /// Name and version of the operating system.
    public var system: String
    /// Processor cores and bytes of memory.
    public var cores: Int, memoryBytes: Int
    /// Processes that wanted to run in the minute before.
    public var loadAverage: Double?
    /// When the run began, ISO 8601.
    public var date: String

    /// This computer, now.
    public static func current() -> Machine {
        let information = ProcessInfo.processInfo
        let load = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        return Machine(
            system: information.operatingSystemVersionString, cores: information.activeProcessorCount,
            memoryBytes: Int(information.physicalMemory),
            loadAverage: load?.split(separator: " ").first.flatMap { Double($0) },
            date: Date().ISO8601Format())
    }
}
