import Dispatch
import Graph
import Planner

/// Which of the two ways of cutting kernels a device gets: the one whose matrix product is faster there. What a
/// device calls itself says little: some that count as processors are better served as graphics processors.
///
/// It is measured once and kept on disk, so that a device has one style for good and its results repeat bit for bit.
/// Where it cannot be kept, the device's type decides.
struct StyleChoice {
    /// A way of cutting kernels.
    enum Kind: String, CaseIterable {
        case processor, graphics
    }

    let candidate: OpenCLCandidate
    let folder: ProgramFolder?

    /// The kept choice, else a measured one that was kept, else what the device's type suggests.
    ///
    /// - Parameter seconds: how long a product takes in a style, nil if it fails.
    func kind(measuredBy seconds: (Kind) -> Double?) -> Kind {
        guard let folder, candidate.info.kind != "simulator" else { return suggestion }
        if let kept = kept(in: folder) { return kept }
        let choice = faster(seconds)
        folder.write(Array(choice.rawValue.utf8), fileName)
        return kept(in: folder) ?? suggestion
    }

    /// The same, measured on the device.
    var kind: Kind { kind(measuredBy: seconds) }

    /// What the device's type suggests.
    var suggestion: Kind { candidate.style.hasManyItems ? .graphics : .processor }

    /// The name of the file that keeps the choice.
    var fileName: String {
        let info = candidate.info
        return StableHash.of(["style", info.platform, info.name, info.driver]) + ".style"
    }

    private func kept(in folder: ProgramFolder) -> Kind? {
        folder.read(fileName).flatMap { Kind(rawValue: String(decoding: $0, as: UTF8.self)) }
    }

    /// The suggestion, unless another style is clearly faster: noise must not decide.
    private func faster(_ seconds: (Kind) -> Double?) -> Kind {
        guard let own = seconds(suggestion) else { return seconds(other) == nil ? suggestion : other }
        guard let others = seconds(other) else { return suggestion }
        return others * 1.3 < own ? other : suggestion
    }

    private var other: Kind { suggestion == .processor ? .graphics : .processor }

    /// The least time of a 256³ product in float32.
    private func seconds(_ kind: Kind) -> Double? {
        let n = 256
        let program = Program.trace { t in
            [("y", t.input("a", [n, n]).matmul(t.input("b", [n, n])))]
        }
        do throws(BackendError) {
            let backend = try OpenCLBackend(candidate, style: candidate.style(kind), cache: folder)
            let executable = try backend.compile(program, .float32)
            let a = try backend.allocate(n * n, .float32), b = try backend.allocate(n * n, .float32)
            let y = try backend.allocate(n * n, .float32)
            // Not zeros: some devices multiply these faster.
            try backend.write((0..<n * n).map { Float($0 % 7) - 3 }, to: a.all)
            try backend.write((0..<n * n).map { Float($0 % 5) - 2 }, to: b.all)
            var least = Double.infinity
            // The first run may still compile.
            for _ in 0..<4 {
                let start = DispatchTime.now().uptimeNanoseconds
                try executable.run(inputs: [a.all, b.all], outputs: [y.all])
                try backend.synchronize()
                least = min(least, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
            }
            return least
        } catch {
            return nil
        }
    }
}
