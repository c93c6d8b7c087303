import Backend
import Graph
import Planner

/// Values that do not depend on the vector, batch by batch.
final class HeldValues {
    /// Computes the results from held values.
    let rest: Program
    /// Gone when all values are there, and its memory with it.
    private var fixed: (any Executable)?
    private let backend: any Backend
    /// Whether every batch is held.
    var holdsAll: Bool { batches == batchCount }
    private let batchCount: Int
    /// Batches that are held; further ones would take too much memory.
    private let batches: Int
    private var values: [Int: [String: DeviceSlice]] = [:]

    /// Nil if nothing is worth holding or not one batch fits into `most` bytes.
    init?(
        _ program: Program, whatVariesWith varies: (String) -> Bool, batchCount: Int, most: Int,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        (self.backend, self.batchCount) = (backend, batchCount)
        let split = program.holding(whatVariesWith: varies)
        guard split.count > 0 else { return nil }
        batches = min(batchCount, most / (split.count * precision.bytes))
        guard batches > 0 else { return nil }
        fixed = try backend.compile(split.fixed, precision)
        rest = split.rest
    }

    /// Computes all of them at once, from what each batch reads.
    func fill(_ inputs: (_ batch: Int) -> [String: DeviceSlice]) throws(BackendError) {
        for batch in 0..<batches where try values(of: batch, inputs(batch)) == nil { return }
    }

    /// What the rest needs for a batch; nil if the batch is not held.
    func values(of batch: Int, _ bound: [String: DeviceSlice]) throws(BackendError) -> [String: DeviceSlice]?
    {
        if batch >= batches { return nil }
        if let known = values[batch] { return known }
        guard let fixed else { preconditionFailure("held values are made once") }
        var made: [String: DeviceSlice] = [:]
        for port in fixed.plan.outputs {
            let array = try ifThereIsMemory { () throws(BackendError) in
                try backend.allocate(port.shape.count, fixed.plan.precision)
            }
            guard let array else { return nil }
            made[port.name] = array.all
        }
        try fixed.run(bound.merging(made) { $1 })
        values[batch] = made
        if values.count == batches {
            // The device may still be at work with it.
            try backend.synchronize()
            self.fixed = nil
        }
        return made
    }
}
