import Backend
import Data
import Foundation

extension SpectralDensity {
    /// Runs `probes` factorisations of at most `steps` steps from random unit vectors, several side by side where the
    /// operator gains by it and all their vectors fit on the device.
    ///
    /// - Parameters:
    ///   - known: eigenpairs that count exactly; probes live in the complement of their vectors.
    ///   - options: how probes are drawn, where vectors live, and where the run is kept.
    ///   - progress: called after every step of every probe.
    ///
    /// Throws what the device throws; `.program` if known vectors are not orthonormal; `.outOfMemory` if vectors fit
    /// nowhere; `.file` if the store is damaged, in use, or of another run.
    public static func estimate(
        _ matrix: any LinearOperator, steps: Int, probes: Int, seed: UInt64,
        avoiding known: KnownEigenpairs? = nil, options: DensityOptions = DensityOptions(),
        progress: ((DensityProgress) -> Void)? = nil
    ) throws(BackendError) -> SpectralDensity {
        precondition(steps > 0 && probes > 0, "\(steps) steps, \(probes) probes")
        let space = matrix.space
        if let known { try known.check(space) }
        let memory = options.memory ?? .standard(space.backend)
        let count = min(steps, matrix.dimension - (known?.values.count ?? 0))
        var manifest = DensityManifest(
            dimension: matrix.dimension, precision: space.precision.rawValue,
            device: "\(space.backend.device.name), \(space.backend.device.driver)", seed: seed, steps: steps,
            probes: probes, kind: options.probe.rawValue, known: Checksum.digest(known?.values ?? []),
            label: options.store?.label ?? "",
            sideBySide: sideBySide(matrix, steps: count, most: probes, memory))
        let folder = try onFiles { [manifest] () throws(DataError) in
            try options.store.map { store throws(DataError) in try DensityFolder(store.folder, manifest) }
        }
        if let folder { manifest = folder.manifest }
        let run = DensityRun(
            matrix: matrix, steps: count, known: known, memory: memory, manifest: manifest, folder: folder,
            progress: progress)
        // Where everything is known, probes have nothing to see.
        var rules = [QuadratureRule](
            repeating: QuadratureRule(diagonal: [], offDiagonal: []), count: count > 0 ? 0 : probes)
        for first in stride(from: 0, to: probes - rules.count, by: manifest.sideBySide) {
            rules += try run.rules(first..<min(probes, first + manifest.sideBySide))
        }
        let norm = (known?.values ?? []).reduce(rules.map(\.norm).max() ?? 0) { max($0, abs($1)) }
        return SpectralDensity(
            rules: rules, dimension: matrix.dimension, known: known?.values ?? [],
            noise: 16 * space.precision.epsilon * norm)
    }

    /// How many factorisations run side by side: as many as the operator takes at once, while all fit on the device.
    private static func sideBySide(
        _ matrix: any LinearOperator, steps: Int, most: Int, _ memory: BasisMemory
    ) -> Int {
        let bytes = max(1, steps * matrix.dimension * matrix.space.precision.bytes)
        return max(1, min(matrix.blockSize, most, memory.device / bytes))
    }
}

extension KnownEigenpairs {
    /// Throws unless the vectors are orthonormal to half of the digits.
    func check(_ space: VectorSpace) throws(BackendError) {
        for row in values.indices {
            let products = try space.project(space.row(row, of: vectors), on: vectors, values.count)
            for (other, product) in products.enumerated() {
                let error = abs(product - (other == row ? 1 : 0))
                guard error <= space.precision.epsilon.squareRoot() else {
                    throw BackendError(
                        .program,
                        "known eigenvectors \(row) and \(other) have the product \(product): "
                            + "expected orthonormal vectors")
                }
            }
        }
    }
}

/// Probes of one density, some at a time.
private struct DensityRun {
    let matrix: any LinearOperator
    let steps: Int
    let known: KnownEigenpairs?
    let memory: BasisMemory
    let manifest: DensityManifest
    let folder: DensityFolder?
    let progress: ((DensityProgress) -> Void)?

    /// The rules of probes that run side by side.
    func rules(_ probes: Range<Int>) throws(BackendError) -> [QuadratureRule] {
        var finished: [Int: QuadratureRule] = [:], open: [(probe: Int, krylov: Krylov)] = []
        for probe in probes {
            if let folder {
                finished[probe] = try onFiles { () throws(DataError) in try folder.rule(probe) }
            }
            if finished[probe] == nil { open.append((probe, try krylov(probe, of: probes.count))) }
        }
        if folder != nil { try align(open.map(\.krylov)) }
        while true {
            let extending = open.filter(\.krylov.canExtend)
            if extending.isEmpty { break }
            try Krylov.extend(extending.map(\.krylov))
            for (probe, krylov) in extending { tell(probe, krylov) }
        }
        for (probe, krylov) in open {
            let rule = QuadratureRule(diagonal: krylov.alphas, offDiagonal: krylov.betas)
            finished[probe] = rule
            if let folder { try onFiles { () throws(DataError) in try folder.finish(probe, rule) } }
        }
        return probes.map { finished[$0]! }
    }

    /// Brings probes that were interrupted to the same step, as a block product's bits may depend on who takes part, and
    /// one step further back: doing a step again shows whether the operator is the same.
    private func align(_ open: [Krylov]) throws(BackendError) {
        guard let common = open.filter(\.canExtend).map(\.steps).min() else { return }
        for krylov in open { try krylov.rollBack(to: max(0, common - 1)) }
    }

    private func krylov(_ probe: Int, of count: Int) throws(BackendError) -> Krylov {
        let rowBytes = matrix.dimension * matrix.space.precision.bytes
        let checkpoint = try onFiles { () throws(DataError) in
            try folder.map { folder throws(DataError) in try folder.checkpoint(probe, rowBytes: rowBytes) }
        }
        return try Krylov(
            matrix, start: start(probe), capacity: steps,
            avoiding: known.map { ($0.vectors, $0.values.count) }, memory: memory.shared(by: count),
            checkpoint: checkpoint)
    }

    private func start(_ probe: Int) -> [Double] {
        var random = RandomStream(seed: manifest.seed, purpose: "spectral probe \(probe)")
        return manifest.kind == DensityOptions.Probe.gaussian.rawValue
            ? random.normals(matrix.dimension) : random.rademachers(matrix.dimension)
    }

    private func tell(_ probe: Int, _ krylov: Krylov) {
        guard let progress else { return }
        let rule = QuadratureRule(diagonal: krylov.alphas, offDiagonal: krylov.betas)
        progress(
            DensityProgress(
                probe: probe, step: krylov.steps, smallest: rule.nodes[0],
                largest: rule.nodes[rule.nodes.count - 1],
                residualBound: max(rule.bounds[0], rule.bounds[rule.bounds.count - 1])))
    }
}
