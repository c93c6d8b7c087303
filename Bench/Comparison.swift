import Data

/// Two runs of the benchmark side by side.
public struct Comparison: Sendable, Codable {
    /// What the difference between two measurements amounts to.
    public enum Verdict: String, Sendable, Codable {
        /// The second run is faster, or slower, by more than noise.
        case faster, slower
        /// The difference is within noise.
        case same = "within noise"
        /// Other processes took part of a processor from the slower one: nothing can be said.
        case busy = "machine busy"
    }

    /// One measurement in both runs.
    public struct Row: Sendable, Codable {
        /// How `--device` names the device, and what was measured.
        public var device: String, id: String
        /// Medians in seconds.
        public var first: Double, second: Double
        /// Speed of the second run over that of the first: above 1 is faster.
        public var ratio: Double
        /// The interval that the ratio of medians lies in.
        public var low: Double, high: Double
        /// What it amounts to.
        public var verdict: Verdict
    }

    /// Measurements that both runs have.
    public var rows: [Row]
    /// Measurements that only the first, or only the second run has.
    public var onlyFirst: [String], onlySecond: [String]
    /// Those that only the first run has, and why where the second run tells.
    public var missing: [String]

    /// Compares two runs. Devices are matched by the way `--device` names them.
    public init(_ first: BenchFile, _ second: BenchFile) {
        func key(_ result: BenchResult) -> String { "\(result.device) \(result.id)" }
        let others = Dictionary(second.results.map { (key($0), $0) }) { a, _ in a }
        let known = Set(first.results.map(key))
        rows = first.results.compactMap { result in
            others[key(result)].map { Self.row(result, $0) }
        }
        onlyFirst = first.results.map(key).filter { others[$0] == nil }
        onlySecond = second.results.map(key).filter { !known.contains($0) }
        let reasons = Dictionary(second.failures.map { ("\($0.device) \($0.id)", $0.problem) }) { a, _ in a }
        missing = onlyFirst.map { name in name + (reasons[name].map { " (\($0))" } ?? "") }
    }

    /// The part of a difference that two runs of one program may show, on top of the noise within a run: memory lies
    /// elsewhere, clocks and neighbours differ.
    static let floor = 0.03

    private static func row(_ first: BenchResult, _ second: BenchResult) -> Row {
        let (low, high) = interval(first.samples, second.samples, seed: first.id)
        let (a, b) = (first.summary.median, second.summary.median)
        let verdict = verdict(
            low, high, isFirstDisturbed: first.isDisturbed, isSecondDisturbed: second.isDisturbed)
        return Row(
            device: first.device, id: first.id, first: a, second: b, ratio: a / b, low: low, high: high,
            verdict: verdict)
    }

    /// What an interval amounts to. A disturbance can only slow a run down.
    static func verdict(
        _ low: Double, _ high: Double, isFirstDisturbed: Bool, isSecondDisturbed: Bool
    ) -> Verdict {
        if low > 1 + floor { return isFirstDisturbed ? .busy : .faster }
        if high < 1 - floor { return isSecondDisturbed ? .busy : .slower }
        return .same
    }

    /// The 95 % interval of the ratio of medians by the bootstrap (Efron 1979): the medians of 1,000 sets that are
    /// drawn from each of both, with replacement. The same samples give the same interval.
    ///
    /// It reaches at least from the lowest to the highest ratio of the medians of two rounds: where memory happens to
    /// lie changes whole rounds, which draws among all samples do not show.
    static func interval(
        _ firstRounds: [[Double]], _ secondRounds: [[Double]], seed: String
    ) -> (low: Double, high: Double) {
        var random = RandomStream(seed: 0, purpose: "bootstrap \(seed)")
        let (first, second) = (firstRounds.flatMap { $0 }.sorted(), secondRounds.flatMap { $0 }.sorted())
        let ratios = (0..<1000).map { _ in
            drawnMedian(of: first, &random) / drawnMedian(of: second, &random)
        }.sorted()
        let (a, b) = (firstRounds.map { Summary($0).median }, secondRounds.map { Summary($0).median })
        return (
            min(Summary.quantile(0.025, ofSorted: ratios), a.min()! / b.max()!),
            max(Summary.quantile(0.975, ofSorted: ratios), a.max()! / b.min()!)
        )
    }

    /// The median of as many values drawn from the sorted ones with replacement. Where it lies among them follows a
    /// beta distribution of mean ½ and variance 1/(4n + 8), which a normal one stands for.
    private static func drawnMedian(of values: [Double], _ random: inout RandomStream) -> Double {
        let share = 0.5 + random.normal() / Double(4 * values.count + 8).squareRoot()
        return Summary.quantile(min(1, max(0, share)), ofSorted: values)
    }

    /// Measurements whose speed has fallen below a share of the first run's, beyond noise.
    public func rows(below share: Double) -> [Row] {
        rows.filter { $0.verdict == .slower && $0.high < share }
    }
}
