import Backend
import Graph
import Planner

/// The features of a kernel, and how samples are cut into tiles, panels and batches, for a memory.
struct KernelPlan {
    let program: FeatureProgram
    let tiles: TilePlan

    /// A plan whose batches become smaller until it fits; with two samples a batch it is what it is.
    init(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, _ kind: KernelKind, rows: Int,
        columns: Int, isSymmetric: Bool, _ options: EmpiricalNTK.Options, on backend: any Backend,
        _ precision: Precision
    ) throws(BackendError) {
        func program(_ batch: Int) -> FeatureProgram {
            FeatureProgram(
                forward, layout, batch: batch, kind: kind, algorithm: options.algorithm,
                balance: options.balance)
        }
        // One sample alone would hide what is repeated for every sample.
        let smallest = min(rows, columns), least = min(2, smallest)
        let outputs = forward(1).outputs[0].shape[1], cotangents = kind.cotangents(outputs)
        // Every output is a row of the pull-back, so batches are smaller where there are many.
        var batch = max(least, min(options.batchSize, smallest, 2048 / max(1, cotangents)))
        while true {
            let made = program(batch)
            var model = try backend.plan(made.batched, precision, sumsInOrder: true).arenaBytes
            if let single = made.single {
                model += try backend.plan(single, precision, sumsInOrder: true).arenaBytes
            }
            let demand = TilePlan.Demand(
                rows: rows, columns: columns, isSymmetric: isSymmetric,
                perSample: made.units.reduce(0) { sum, unit in
                    let (rows, activation) = unit.elements(cotangents)
                    return sum + (rows + activation) * precision.bytes
                }, batch: batch, block: kind.rows(outputs))
            var known: [Int: Int] = [:]
            let plan = try TilePlan(demand, memory: options.memory, tile: options.tile) {
                tile throws(BackendError) in
                if let bytes = known[tile] { return bytes }
                let bytes = try Self.contraction(
                    made.units, kind, outputs, demand, tile, on: backend, precision)
                known[tile] = model + bytes
                return model + bytes
            }
            if plan.bytes > options.memory, batch > least {
                batch = max(least, batch / 2)
                continue
            }
            self.program = plan.batch < batch ? program(plan.batch) : made
            tiles = plan
            return
        }
    }

    /// Bytes of tiles, and of the programs that contract features to them.
    private static func contraction(
        _ units: [KernelUnit], _ kind: KernelKind, _ outputs: Int, _ demand: TilePlan.Demand, _ tile: Int,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) -> Int {
        let (n, m) = (min(tile, demand.rows), min(tile, demand.columns))
        // Two sums in turn, a tile and its mirror image, on the device and on the host.
        var bytes = 6 * kind.tile(n, m, outputs).count * precision.bytes
        for unit in units {
            for isDiagonal in [true, false]
            where isDiagonal ? demand.isSymmetric : n < demand.rows || !demand.isSymmetric {
                let program = unit.contribution(
                    kind, outputs, n, m, isSymmetric: isDiagonal, isFirst: false)
                bytes += try backend.plan(program, precision, sumsInOrder: true).arenaBytes
            }
        }
        return bytes
    }
}
