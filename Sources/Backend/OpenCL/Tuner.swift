import Dispatch
import Graph
import Planner

/// Searches the numbers of a device's style in bounded time, one group of numbers after the other. Every candidate must
/// give the right result before it is timed; one that does not build, or is wrong, is left out.
public final class Tuner {
    /// One candidate that was tried.
    public struct Trial: Sendable, Codable {
        /// What was changed, such as `tile 8×3`.
        public let name: String
        /// Time of the workload in seconds; nil if the candidate failed.
        public let seconds: Double?
        /// Whether it is the best of its group so far.
        public let isBest: Bool
    }

    /// What a search found.
    public struct Outcome: Sendable {
        /// Every candidate, in order.
        public let trials: [Trial]
        /// Time of the workloads with the defaults and with the numbers found, in seconds.
        public let before: Double, after: Double
        /// Whether the numbers could be kept.
        public let isKept: Bool
    }

    private let candidate: OpenCLCandidate
    private let folder: ProgramFolder?
    private let deadline: UInt64
    private let base: OpenCLStyle

    /// A search on a device that `--device` names so, for at most about `seconds`.
    public init(selector: String, seconds: Double) throws(BackendError) {
        let parts = selector.split(separator: ":").map(String.init)
        guard parts.first == "opencl", parts.count <= 2 else {
            throw BackendError(
                .unsupported, "\(selector) has nothing to tune: only OpenCL devices do (opencl or opencl:N)")
        }
        candidate = try OpenCLDevices.candidate(parts.count == 2 ? Int(parts[1]) : nil)
        folder = ProgramFolder.standard
        deadline = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        base = candidate.style(StyleChoice(candidate: candidate, folder: folder).kind)
    }

    /// The device.
    public var device: DeviceInfo { candidate.info }

    /// Tries candidates and keeps the best for this device and driver. `progress` is told of each.
    public func run(progress: (Trial) -> Void = { _ in }) throws(BackendError) -> Outcome {
        var best = Tuning(base)
        var trials: [Trial] = []
        var (before, after) = (0.0, 0.0)
        for stage in stages {
            var leading = try time(stage.work, best, name: "the defaults")
            before += leading
            let start = leading
            for (name, change) in stage.candidates {
                if DispatchTime.now().uptimeNanoseconds > deadline { break }
                var numbers = best
                change(&numbers)
                if numbers == best { continue }
                let seconds = try? time(stage.work, numbers, name: name)
                // A little faster may be noise.
                let isBest = seconds.map { $0 < leading * 0.97 } ?? false
                if isBest { (best, leading) = (numbers, seconds!) }
                let trial = Trial(name: name, seconds: seconds, isBest: isBest)
                trials.append(trial)
                progress(trial)
            }
            after += min(start, leading)
        }
        let isKept = folder.map { best.keep(for: candidate, in: $0) } ?? false
        return Outcome(trials: trials, before: before, after: after, isKept: isKept)
    }

    // MARK: What is tried

    private struct Stage {
        var work: [Work]
        var candidates: [(name: String, change: (inout Tuning) -> Void)]
    }

    private var stages: [Stage] {
        let tiles = [(8, 3), (8, 2), (12, 2), (14, 2), (6, 3), (6, 2), (4, 3), (4, 2)]
        let tileStage = Stage(
            work: [.product(512), .convolution(32, 32), .convolution(64, 8)],
            candidates: tiles.map { rows, panels in
                ("tile \(rows)×\(panels)", { ($0.tileRows, $0.tilePanels) = (rows, panels) })
            })
        let localStage = Stage(
            work: [.product(512), .convolution(32, 32)],
            candidates: (1..<max(1, base.localTiles.count)).map { skipped in
                ("largest tile \(base.localTiles[skipped].edge)", { $0.skippedTiles = skipped })
            })
        let memoryStage = Stage(
            work: [.convolution(32, 32), .convolution(64, 8)],
            candidates: [19, 20, 21, 22, 23, 24, 25].map { bits in
                ("convolution memory 2^\(bits)", { $0.patchLimit = 1 << bits })
            })
        let groupStage = Stage(
            work: [.chain],
            candidates: [16, 32, 64, 128, 256].map { size in
                (
                    "groups of \(size)",
                    { ($0.group, $0.reductionGroup) = (size, min(size, $0.reductionGroup)) }
                )
            })
        return [base.hasManyItems ? localStage : tileStage, memoryStage, groupStage]
    }

    /// A small piece of what devices are used for.
    private enum Work {
        case product(Int)
        /// 3×3, as many filters as channels, images of this edge.
        case convolution(Int, Int)
        case chain

        var program: Program {
            Program.trace { t in
                switch self {
                case .product(let n):
                    return [("y", t.input("a", [n, n]).matmul(t.input("b", [n, n])))]
                case .convolution(let channels, let edge):
                    let x = t.input("a", [32, channels, edge, edge]),
                        w = t.input("b", [channels, channels, 3, 3])
                    let y = x.conv(w, Window(padding: (1, 1)))
                    let back = t.vjp([(of: y, cotangent: y)], to: [x, w])
                    return [("y", y), ("dx", back[0]), ("dw", back[1])]
                case .chain:
                    let x = t.input("a", [1 << 20]), b = t.input("b", [1024])
                    let rows = x.reshaped([1024, 1024])
                    let y = (rows + b.reshaped([1, 1024]).broadcast(to: [1024, 1024])).tanh()
                    return [("y", y), ("s", y.sum([0])), ("g", b.gathered(at: b.filled(3), axis: 0))]
                }
            }
        }
    }

    // MARK: Checking and timing

    /// What each workload gives on the CPU backend.
    private var expected: [String: [Double]] = [:]

    /// The least time of some work in seconds. Throws if a result is wrong.
    private func time(_ work: [Work], _ numbers: Tuning, name: String) throws(BackendError) -> Double {
        let backend = try OpenCLBackend(candidate, style: numbers.applied(to: base), cache: folder)
        var total = 0.0
        for work in work {
            let ready = try Ready(work.program, on: backend)
            try check(try ready.results(), work, name)
            total += try ready.seconds()
        }
        return total
    }

    private func check(_ results: [Double], _ work: Work, _ name: String) throws(BackendError) {
        let key = "\(work)"
        if expected[key] == nil {
            expected[key] = try Ready(work.program, on: CPUBackend(usesWinograd: false)).results()
        }
        let known = expected[key]!
        let scale = known.reduce(0) { max($0, abs($1)) }
        for (found, wanted) in zip(results, known) where !(abs(found - wanted) <= 1e-5 * scale) {
            throw BackendError(.device, "\(name): \(key) is wrong, \(found) instead of \(wanted)")
        }
    }
}

/// A program with its memory on a device.
private struct Ready {
    let backend: any Backend
    let executable: any Executable
    private var inputs: [DeviceSlice] = [], outputs: [DeviceSlice] = []

    init(_ program: Program, on backend: any Backend) throws(BackendError) {
        self.backend = backend
        executable = try backend.compile(program, .float32)
        for port in executable.plan.inputs {
            let array = try backend.allocate(port.shape.count, .float32)
            try backend.write((0..<array.count).map { Float(($0 * 7919) % 7) - 3 }, to: array.all)
            inputs.append(array.all)
        }
        for port in executable.plan.outputs {
            outputs.append(try backend.allocate(port.shape.count, .float32).all)
        }
    }

    /// All outputs of one run.
    func results() throws(BackendError) -> [Double] {
        try executable.run(inputs: inputs, outputs: outputs)
        var results: [Double] = []
        for output in outputs { results += try backend.download(output) }
        return results
    }

    /// The least time of some runs.
    func seconds() throws(BackendError) -> Double {
        var least = Double.infinity
        for _ in 0..<5 {
            let start = DispatchTime.now().uptimeNanoseconds
            try executable.run(inputs: inputs, outputs: outputs)
            try backend.synchronize()
            least = min(least, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
        }
        return least
    }
}
