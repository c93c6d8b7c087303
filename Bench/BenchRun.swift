import Backend
import Planner

/// A run of chosen workloads on chosen devices.
public struct BenchRun {
    private let options: BenchOptions
    private let workloads: [Workload]
    /// The ones whose times are the ceilings of the others, where they are not among those chosen.
    private let ceilings: [Workload]

    /// A run; throws if `options.only` names something unknown.
    public init(_ options: BenchOptions) throws {
        self.options = options
        let all = try Catalogue.workloads(options.precision)
        workloads = try Catalogue.select(options.only, from: all, quick: options.isQuick)
        // A launch and a transfer have no roofline.
        let needsCeilings = workloads.contains { !["launch", "transfer"].contains($0.group) }
        let chosen = Set(workloads.map(\.id))
        ceilings =
            needsCeilings
            ? all.filter { workload in
                ["gemm/\(options.precision.rawValue)/1024", "memory/copy"].contains(workload.id)
                    && !chosen.contains(workload.id)
            } : []
    }

    /// Measures on every device in turn, in rounds over all workloads. A device that does not work and a workload that fails are noted.
    public func run(on selectors: [String], progress: (_ device: DeviceInfo, _ id: String) -> Void)
        -> BenchFile
    {
        var file = BenchFile(machine: .current(), options: options, devices: [], results: [])
        let references = SharedReferences()
        for selector in selectors {
            do {
                let session = try BenchSession(selector, options, references: references)
                run(session, &file, progress)
            } catch {
                let known = Devices.all().first { $0.selector == selector }
                if let known {
                    file.devices.append(BenchDevice(device: known, ceilings: nil, problem: "\(error)"))
                }
                file.failures.append(BenchFailure(device: selector, id: "device", problem: "\(error)"))
            }
        }
        return file
    }

    private func run(
        _ session: BenchSession, _ file: inout BenchFile, _ progress: (DeviceInfo, String) -> Void
    ) {
        var found: [String: BenchResult] = [:]
        var failed = Set<String>()
        for _ in 0..<options.rounds {
            for workload in ceilings + workloads where !failed.contains(workload.id) {
                progress(session.device, workload.id)
                do {
                    guard let round = try session.measure(workload) else { continue }
                    if found[workload.id] == nil {
                        found[workload.id] = round
                    } else {
                        found[workload.id]!.add(round)
                    }
                } catch {
                    failed.insert(workload.id)
                    file.failures.append(
                        BenchFailure(device: session.device.selector, id: workload.id, problem: "\(error)"))
                }
            }
        }
        // A result that was wrong once has no time.
        var results = (ceilings + workloads).compactMap { failed.contains($0.id) ? nil : found[$0.id] }
        let reached = Ceilings(measured: results)
        for index in results.indices {
            let result = results[index]
            if ["launch", "transfer"].contains(result.group) { continue }
            results[index].fractions = reached.fractions(
                result.work, seconds: result.summary.median, result.precision)
        }
        let hidden = Set(ceilings.map(\.id))
        file.devices.append(BenchDevice(device: session.device, ceilings: reached, problem: nil))
        file.results += results.filter { !hidden.contains($0.id) }
    }
}

extension Ceilings {
    /// The ceilings that matrix products and copies of one device have reached in their best rounds: a disturbance can
    /// only lower them.
    init(measured results: [BenchResult]) {
        func best(_ members: [BenchResult], _ amount: (BenchResult) -> Int) -> (rate: Double, BenchResult)? {
            members.map { ($0.bestRate(amount($0)), $0) }.max { $0.0 < $1.0 }
        }
        var flops: [Precision: Double] = [:], winners: [BenchResult] = []
        let products = results.filter { $0.group == "gemm" }
        for precision in Set(products.map(\.precision)) {
            guard let (rate, winner) = best(products.filter { $0.precision == precision }, \.work.flops)
            else { continue }
            flops[precision] = rate
            winners.append(winner)
        }
        let copy = best(results.filter { $0.group == "memory" }, \.work.bytes)
        if let copy { winners.append(copy.1) }
        self.init(flops: flops, bytes: copy?.rate, isDisturbed: winners.contains(where: \.isDisturbed))
    }
}
